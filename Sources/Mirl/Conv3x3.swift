import MirlKernels
import MirlWeights

/// A 3x3 convolution with zero padding, from a map, or from a small map stretched to another size (bilinear, corners
/// not aligned), into another.
struct Conv3x3: Layer {
    /// What becomes of the sums.
    enum Sink {
        case store
        /// Added to what the output holds.
        case add
        /// Channels 4 c + 2 dy + dx become the pixels of channel c at twice the resolution.
        case shuffle
        /// The inverse.
        case unshuffle
    }

    let scratch: Scratch
    let cost: Double

    private let weights: Matrix
    private let output: FeatureMap
    private let sink: Sink
    private let sweep: Sweep
    private let stretch: Stretch?
    private let place: RingProduct  // shared
    private let ring, sums: Int  // each thread's

    init(
        _ weights: Matrix, _ input: FeatureStack, into output: FeatureMap, _ sink: Sink = .store, threads: Int,
        stretched: Bool = false
    ) {
        self.weights = weights
        self.output = output
        self.sink = sink
        var scratch = Scratch(threads: threads)
        stretch = stretched ? Stretch(input.maps[0], width: output.width, height: output.height, in: &scratch.shared) : nil
        // A stretched input is swept as if it had the output's size; its rows are never read through this map.
        let map = stretched
            ? FeatureStack(FeatureMap(offset: 0, channels: input.channels, height: output.height, width: output.width))
            : input
        sweep = Sweep(
            map: map, strips: Strips(width: map.width), bands: Geometry.bands(map.height, threads: threads),
            lineChannels: map.channels)
        place = RingProduct(weights, in: &scratch.shared)
        ring = scratch.own.take(sweep.ringSize)
        sums = scratch.own.take(weights.rows * sweep.stride)
        self.scratch = scratch
        cost = Double(weights.count) * Double(map.height * map.width)
    }

    func run(_ run: Run) throws(MirlError) {
        let outStride = direct ? output.channelStride : sweep.stride
        let products = place.prepare(
            run, sweep, keepingEmpty: sink != .add, out: { $0 * outStride },
            offset: { $1 / 9 * sweep.stride + sweep.place(tap: $1 % 9) })
        stretch?.writeTables(run.scratch)
        try run.parallel(sweep.bands.count, cost: cost) { band, thread in
            let own = scratch.own(thread, run)
            sweep.pass(
                run, band: sweep.bands[band], ring: own + ring,
                produce: { y, strip, line in
                    if let stretch {
                        let columns = sweep.neighbourhood(strip)
                        stretch.writeLine(
                            y, columns, from: run.memory, tables: run.scratch,
                            to: line + sweep.column(columns.lowerBound, in: strip), stride: sweep.stride)
                    } else {
                        sweep.gather(row: y, strip: strip, in: run.memory, to: line, run.kernels)
                    }
                    sweep.clearEdges(of: line, strip: strip)
                },
                consume: { y, strip in convolve(run, products[sweep.phase(y)], own, y, strip) })
        }
    }

    /// Whether the sums go straight to the output.
    private var direct: Bool { sink == .store || sink == .add }

    private func convolve(
        _ run: Run, _ product: mirlk_product, _ own: UnsafeMutablePointer<Float>, _ y: Int, _ strip: Range<Int>
    ) {
        let sums = own + sums, stride = sweep.stride
        product.apply(
            run, own + ring, into: direct ? output.row(y, in: run.memory) + strip.lowerBound : sums,
            width: strip.count, adding: sink == .add)
        switch sink {
        case .store, .add: break
        case .shuffle:
            mirlk_shuffle(
                sums, stride, output.row(2 * y, in: run.memory) + 2 * strip.lowerBound, output.channelStride,
                output.rowStride, UInt32(weights.rows / 4), UInt32(strip.count))
        case .unshuffle:
            mirlk_unshuffle(
                sums, stride, output.row(y / 2, in: run.memory) + strip.lowerBound / 2, output.channelStride,
                UInt32(y % 2), UInt32(weights.rows), UInt32(strip.count / 2))
        }
    }
}

/// Bilinear resizing with corners not aligned: pixel x of n reads the source at (x + 1/2) s / n - 1/2, not below 0.
private struct Stretch {
    let source: FeatureMap
    let width, height: Int
    private let left, share: Int  // shared tables, a column each

    init(_ source: FeatureMap, width: Int, height: Int, in shared: inout Scratch.Places) {
        self.source = source
        self.width = width
        self.height = height
        left = shared.take(width)
        share = shared.take(width)
    }

    private func place(_ x: Int, of count: Int, from size: Int) -> (first: Int, share: Float) {
        let place = max(0, (Float(x) + 0.5) * (Float(size) / Float(count)) - 0.5)
        let first = min(Int(place), size - 1)
        return (first, place - Float(first))
    }

    func writeTables(_ shared: UnsafeMutablePointer<Float>) {
        for x in 0..<width {
            let (first, rest) = place(x, of: width, from: source.width)
            (shared + left).indices[x] = Int32(first)
            shared[share + x] = rest
        }
    }

    /// Some columns of row y of the stretched map.
    func writeLine(
        _ y: Int, _ columns: Range<Int>, from memory: UnsafeMutablePointer<Float>, tables: UnsafeMutablePointer<Float>,
        to line: UnsafeMutablePointer<Float>, stride: Int
    ) {
        let (row, rest) = place(y, of: height, from: source.height)
        let first = columns.lowerBound
        mirlk_stretch(
            source.row(row, in: memory), source.row(min(row + 1, source.height - 1), in: memory), rest,
            source.channelStride, UInt32(source.width - 1), (tables + left).indices + first, tables + share + first,
            line, stride, UInt32(source.channels), UInt32(columns.count))
    }
}
