import MirlWeights

/// A 1x1 convolution from maps to another of the same size, which may be one of them.
struct Conv1x1: Layer {
    let scratch: Scratch
    let cost: Double

    private let input: FeatureStack
    private let output: FeatureMap
    private let strips: Strips
    private let bands: [Range<Int>]
    private let place: ProductPlace  // shared
    private let tile: Int  // each thread's

    init(_ weights: Matrix, _ input: FeatureStack, into output: FeatureMap, threads: Int) {
        self.input = input
        self.output = output
        strips = Strips(width: input.width)
        bands = Geometry.bands(input.height, threads: threads)
        var scratch = Scratch(threads: threads)
        place = ProductPlace(weights, in: &scratch.shared)
        tile = scratch.own.take(input.channels * strips.stride)
        self.scratch = scratch
        cost = Double(weights.count) * Double(input.height * input.width)
    }

    func run(_ run: Run) throws(MirlError) {
        let product = place.prepare(
            run, keepingEmpty: true, out: { $0 * output.channelStride }, offset: { $1 * strips.stride })
        try run.parallel(bands.count, cost: cost) { band, thread in
            let tile = scratch.own(thread, run) + tile
            for y in bands[band] where run.goesOn() {
                for strip in strips.ranges {
                    input.copy(row: y, columns: strip, in: run.memory, to: tile, stride: strips.stride, run.kernels)
                    product.apply(
                        run, tile, into: output.row(y, in: run.memory) + strip.lowerBound, width: strip.count)
                }
            }
        }
    }
}
