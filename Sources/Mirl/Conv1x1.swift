import MirlKernels

/// A 1x1 convolution from one map to another of the same size.
struct Conv1x1: Layer {
    let scratch: Int
    let cost: Double

    private let input, output: FeatureMap
    private let strips: Strips
    private let bands: [Range<Int>]
    private let place: ProductPlace

    init(_ weights: Convolution, _ input: FeatureMap, into output: FeatureMap, threads: Int) {
        self.input = input
        self.output = output
        strips = Strips(width: input.width)
        bands = Geometry.bands(input.height, threads: threads)
        var shared = Layout()
        place = ProductPlace(weights, in: &shared)
        scratch = shared.size
        cost = Double(weights.count) * Double(input.height * input.width)
    }

    func run(_ run: Run) throws(MirlError) {
        let product = place.prepare(
            run, keepingEmpty: true, out: { $0 * output.channelStride }, offset: { $1 * input.channelStride })
        try run.parallel(bands.count, cost: cost) { band, _ in
            for y in bands[band] {
                for strip in strips.ranges {
                    product.apply(
                        run, input.row(y, in: run.memory) + strip.lowerBound,
                        into: output.row(y, in: run.memory) + strip.lowerBound, width: strip.count)
                }
            }
        }
    }
}
