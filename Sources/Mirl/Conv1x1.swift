import MirlKernels

/// A 1x1 convolution from one map to another of the same size.
struct Conv1x1: Layer {
    let scratch: Int
    let cost: Double

    private let weights: Convolution
    private let input, output: FeatureMap
    private let strips: Strips
    private let bands: [Range<Int>]
    private let offsets, decoded: Int
    private let decodedSize: Int

    init(_ weights: Convolution, _ input: FeatureMap, into output: FeatureMap, threads: Int) {
        self.weights = weights
        self.input = input
        self.output = output
        strips = Strips(width: input.width)
        bands = Geometry.bands(input.height, threads: threads)
        decodedSize = (weights.columns + 15) / 16 * 16
        var layout = Layout()
        offsets = layout.take(weights.columns)
        decoded = layout.take(threads * decodedSize)
        scratch = layout.size
        cost = Double(weights.count) * Double(input.height * input.width)
    }

    func run(_ run: Run) throws(MirlError) {
        let offsets = (run.scratch + offsets).indices
        writeChannelOffsets(weights.columns, stride: input.channelStride, to: offsets)
        try run.parallel(bands.count, cost: cost) { band, thread in
            for y in bands[band] {
                for strip in strips.ranges {
                    run.multiply(
                        weights, input.row(y, in: run.memory) + strip.lowerBound, offsets: offsets,
                        into: output.row(y, in: run.memory) + strip.lowerBound, stride: output.channelStride,
                        width: strip.count, decoded: run.scratch + decoded + thread * decodedSize)
                }
            }
        }
    }
}
