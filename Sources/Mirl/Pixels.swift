/// Between interleaved samples and the network's planar floats.
struct Pixels {
    let image: ImageBuffer
    let map: FeatureMap
    let memory: UnsafeMutablePointer<Float>

    /// Fills the map from the image, grey in all three channels, padded right and bottom by reflection (by repeating
    /// the edge where the image is too small to reflect).
    func load(_ progress: Progress) throws(MirlError) {
        switch image.format.sample {
        case .uint8: try load(UInt8.self, progress) { Float($0) / 255 }
        case .uint16: try load(UInt16.self, progress) { Float($0) / 65535 }
        case .float: try load(Float.self, progress, clamped)
        }
    }

    /// Writes the map to `output`, blended with this image: of the change that the network makes the share `certainty`
    /// is taken, of that the share `strength`. Alpha is this image's, and so is what the map has no finite number for.
    /// Asks nobody: half a result must not be left behind.
    func store(to output: ImageBuffer, strength: Float, certainty: Float) {
        let share = strength * certainty
        if share == 0 { return image.keep(in: output, strength: strength) }
        func blend(_ before: Float, _ restored: Float) -> Float { before + share * (clamped(restored) - before) }
        switch image.format.sample {
        case .uint8: store(to: output) { UInt8(blend(Float($0) / 255, $1) * 255 + 0.5) }
        case .uint16: store(to: output) { UInt16(blend(Float($0) / 65535, $1) * 65535 + 0.5) }
        case .float:
            store(to: output) { before, restored in
                let restored = clamped(restored)
                let change = certainty == 1 ? restored : (1 - certainty) * clamped(before) + certainty * restored
                return blendFloats(before, change, strength)
            }
        }
    }

    private func load<Sample>(
        _: Sample.Type, _ progress: Progress, _ value: (Sample) -> Float
    ) throws(MirlError) {
        let bands = image.format.bands
        for y in 0..<map.height {
            try progress.check()
            let samples = image.row(mirrored(y, image.height)).assumingMemoryBound(to: Sample.self)
            for c in 0..<3 {
                let line = map.row(y, in: memory) + c * map.channelStride, band = image.format.band(of: c)
                for x in 0..<image.width { line[x] = value(samples[x * bands + band]) }
                for x in image.width..<map.width { line[x] = line[mirrored(x, image.width)] }
            }
        }
    }

    private func store<Sample>(to output: ImageBuffer, _ blend: (_ before: Sample, _ restored: Float) -> Sample) {
        let bands = image.format.bands, colours = image.format.colours
        for y in 0..<image.height {
            let old = image.row(y).assumingMemoryBound(to: Sample.self)
            let new = output.row(y).assumingMemoryBound(to: Sample.self)
            let line = map.row(y, in: memory), stride = map.channelStride
            for x in 0..<image.width {
                for c in 0..<colours {
                    let restored = colours == 3 ? line[c * stride + x] : grey(line + x, stride)
                    let place = x * bands + image.format.band(of: c)
                    new[place] = restored.isFinite ? blend(old[place], restored) : old[place]
                }
                if bands > colours { new[x * bands + colours] = old[x * bands + colours] }
            }
        }
    }

    private func grey(_ pixel: UnsafePointer<Float>, _ stride: Int) -> Float {
        (pixel[0] + pixel[stride] + pixel[2 * stride]) / 3
    }

    /// The place that padding shows at `place`, of `size` places.
    private func mirrored(_ place: Int, _ size: Int) -> Int {
        if place < size { return place }
        let padding = Plan.padded(size) - size
        return padding < size ? 2 * (size - 1) - place : size - 1
    }
}

extension ImageBuffer {
    /// Writes the image to `output` as `Pixels.store` does where nothing of the network's change is taken: what the
    /// strength leaves over of floats beyond black and white is kept.
    func keep(in output: ImageBuffer, strength: Float) {
        for y in 0..<height {
            let row = output.row(y)
            row.copyMemory(from: self.row(y), byteCount: width * format.bytesPerPixel)
            guard format.sample == .float, strength > 0 else { continue }
            let samples = row.assumingMemoryBound(to: Float.self)
            for x in 0..<width {
                for place in x * format.bands..<x * format.bands + format.colours {
                    samples[place] = blendFloats(samples[place], clamped(samples[place]), strength)
                }
            }
        }
    }
}

/// A host's floats may lie beyond black and white. What of them the strength leaves over is kept.
private func blendFloats(_ before: Float, _ restored: Float, _ strength: Float) -> Float {
    if strength == 1 { return restored }
    let blend = (1 - strength) * before + strength * restored
    return (0...1).contains(before) ? clamped(blend) : blend
}

/// 0...1; what is not a number becomes 0.
private func clamped(_ value: Float) -> Float { value > 0 ? min(value, 1) : 0 }
