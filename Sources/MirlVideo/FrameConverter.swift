import Glibc

/// Between the frames of a stream and the floats that the network takes.
///
/// Only what the network changes goes back into the frame, as a difference: chroma is interpolated linearly for the
/// network, and its samples then change so that what they are interpolated to comes nearest to what the network made of
/// it (least squares). What does not change keeps its exact code value, and colours out of gamut stay.
public final class FrameConverter {
    /// The frame as the network takes it and as the network left it: [height][width][bands], each 0...1.
    public let before, after: UnsafeMutablePointer<Float>
    public let format: FrameFormat
    /// The memory of all this.
    public let bytes: Int

    private let space: ColourSpace
    private let chroma: (horizontal: Interpolation, vertical: Interpolation)?
    /// A line of Cb and one of Cr, and the gathered changes of both planes.
    private let lines, changes: UnsafeMutablePointer<Float>

    /// Fails where there is no memory.
    public init?(_ format: FrameFormat) {
        let pixels = format.width * format.height * format.bands
        let colours = format.planes.count > 1 ? format.planes[1] : .init(width: 0, height: 0)
        func floats(_ count: Int) -> UnsafeMutablePointer<Float>? {
            malloc(max(count, 1) * MemoryLayout<Float>.stride)?.assumingMemoryBound(to: Float.self)
        }
        let counts = [pixels, pixels, 2 * colours.width, 2 * colours.width * colours.height]
        let blocks = counts.map(floats)
        guard let before = blocks[0], let after = blocks[1], let lines = blocks[2], let changes = blocks[3] else {
            for block in blocks { free(block) }
            return nil
        }
        (self.before, self.after, self.lines, self.changes) = (before, after, lines, changes)
        self.format = format
        bytes = counts.reduce(0, +) * MemoryLayout<Float>.stride
        space = format.colourSpace
        chroma = format.chroma.map {
            (Interpolation($0.horizontal, along: format.width), Interpolation($0.vertical, along: format.height))
        }
    }

    deinit {
        for block in [before, after, lines, changes] { free(block) }
    }

    /// Fills `before` from a frame of `format.frameSize` bytes.
    public func load(_ frame: UnsafeRawPointer) {
        let planes = Planes(frame, format)
        for y in 0..<format.height {
            if let chroma {
                load(row: y, planes, chroma.horizontal.taps, chroma.vertical.taps[y])
            } else {
                for x in 0..<format.width { before[y * format.width + x] = clamped(luma(planes, x, y)) }
            }
        }
    }

    /// Writes to `output` the frame that `before` was filled from, changed by what `after` differs in.
    public func store(_ frame: UnsafeRawPointer, to output: UnsafeMutableRawPointer) {
        output.copyMemory(from: frame, byteCount: format.frameSize)
        let planes = Planes(output, format)
        changes.update(repeating: 0, count: chroma.map { 2 * $0.horizontal.count * $0.vertical.count } ?? 0)
        for y in 0..<format.height {
            if let chroma {
                store(row: y, planes, chroma.horizontal, chroma.vertical.taps[y])
            } else {
                for i in y * format.width..<(y + 1) * format.width {
                    planes.add((after[i] - before[i]) * space.lumaScale, to: 0, i)
                }
            }
        }
        if let chroma { storeChroma(planes, chroma.horizontal, chroma.vertical) }
    }

    private func luma(_ planes: Planes, _ x: Int, _ y: Int) -> Float {
        (planes.sample(0, y * format.width + x) - space.lumaZero) / space.lumaScale
    }

    private func load(row y: Int, _ planes: Planes, _ taps: [Interpolation.Tap], _ rows: Interpolation.Tap) {
        let width = format.planes[1].width
        for plane in 0..<2 {
            for x in 0..<width {
                let above = planes.sample(plane + 1, rows.before * width + x)
                let below = planes.sample(plane + 1, rows.after * width + x)
                let chroma = above + rows.weight * (below - above)
                lines[plane * width + x] = (chroma - space.chromaZero) / space.chromaScale
            }
        }
        let pixels = before + y * format.width * 3
        for (x, tap) in taps.enumerated() {
            let colour = space.rgb(
                luma: luma(planes, x, y), cb: tap.interpolate(lines), cr: tap.interpolate(lines + width))
            pixels[3 * x] = clamped(colour.red)
            pixels[3 * x + 1] = clamped(colour.green)
            pixels[3 * x + 2] = clamped(colour.blue)
        }
    }

    private func store(row y: Int, _ planes: Planes, _ horizontal: Interpolation, _ rows: Interpolation.Tap) {
        let width = horizontal.count, planeSize = format.planes[1].width * format.planes[1].height
        lines.update(repeating: 0, count: 2 * width)
        for (x, tap) in horizontal.taps.enumerated() {
            let pixel = (y * format.width + x) * 3
            let change = space.yuv(
                red: after[pixel] - before[pixel], green: after[pixel + 1] - before[pixel + 1],
                blue: after[pixel + 2] - before[pixel + 2])
            planes.add(change.luma * space.lumaScale, to: 0, y * format.width + x)
            tap.gather(change.cb, in: lines, 1)
            tap.gather(change.cr, in: lines + width, 1)
        }
        for plane in 0..<2 {
            for x in 0..<width { rows.gather(lines[plane * width + x], in: changes + plane * planeSize + x, width) }
        }
    }

    private func storeChroma(_ planes: Planes, _ horizontal: Interpolation, _ vertical: Interpolation) {
        let width = horizontal.count, count = width * vertical.count
        for plane in 0..<2 {
            let changes = changes + plane * count
            vertical.solve(changes, stride: width, columns: width)
            for y in 0..<vertical.count { horizontal.solve(changes + y * width, stride: 1, columns: 1) }
            for i in 0..<count { planes.add(changes[i] * space.chromaScale, to: plane + 1, i) }
        }
    }
}

/// The samples of a frame.
private struct Planes {
    private let starts: [UnsafeMutableRawPointer]
    private let isWide: Bool
    private let maximum: Float

    /// A frame that is only read may be given as immutable.
    init(_ frame: UnsafeRawPointer, _ format: FrameFormat) {
        self.init(UnsafeMutableRawPointer(mutating: frame), format)
    }

    init(_ frame: UnsafeMutableRawPointer, _ format: FrameFormat) {
        var starts: [UnsafeMutableRawPointer] = []
        var next = frame
        for plane in format.planes {
            starts.append(next)
            next += plane.width * plane.height * format.bytesPerSample
        }
        self.starts = starts
        isWide = format.bytesPerSample == 2
        maximum = Float(format.maximum)
    }

    /// Two-byte samples may lie at odd addresses.
    func sample(_ plane: Int, _ index: Int) -> Float {
        isWide
            ? Float(UInt16(littleEndian: starts[plane].loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)))
            : Float(starts[plane].load(fromByteOffset: index, as: UInt8.self))
    }

    /// Changes a sample by the nearest whole number to `change`.
    func add(_ change: Float, to plane: Int, _ index: Int) {
        let steps = change.rounded()
        if steps == 0 { return }
        let value = min(max(sample(plane, index) + steps, 0), maximum)
        if isWide {
            starts[plane].storeBytes(of: UInt16(value).littleEndian, toByteOffset: 2 * index, as: UInt16.self)
        } else {
            starts[plane].storeBytes(of: UInt8(value), toByteOffset: index, as: UInt8.self)
        }
    }
}

private func clamped(_ value: Float) -> Float { min(max(value, 0), 1) }
