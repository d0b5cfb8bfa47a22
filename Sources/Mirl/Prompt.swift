import MirlWeights

/// The mixture of a prompt's components that the features call for: softmax(linear(mean over pixels)), or the one that
/// the run is steered by, and with it the mixed prompt (PromptIR, section 3.1). `Conv3x3` then stretches it.
struct PromptMixture: Layer {
    let scratch: Scratch
    let cost: Double

    private let weights: PromptWeights
    private let level: Int
    private let features: FeatureMap
    /// The mixed prompt: channels x size x size.
    private let mixed: FeatureMap
    private let bands: [Range<Int>]
    private let sums, component: Int
    private let lanes = 16

    /// `level` counts the prompts of the decoder's levels from 0.
    init(_ weights: PromptWeights, level: Int, _ features: FeatureMap, into mixed: FeatureMap) {
        self.weights = weights
        self.level = level
        self.features = features
        self.mixed = mixed
        bands = Geometry.reducingBands(features.height)
        var scratch = Scratch(threads: 0)
        sums = scratch.shared.take(bands.count * features.channels * lanes)
        component = scratch.shared.take(weights.channels * weights.size)
        self.scratch = scratch
        cost = Double(features.channels * features.height * features.width + weights.components.count)
    }

    func run(_ run: Run) throws(MirlError) {
        try run.parallel(bands.count, cost: cost / 2) { band, _ in
            sum(features, rows: bands[band], into: run.scratch + sums + band * features.channels * lanes, run)
        }
        let chosen = mixture(run)
        run.mixtures.append(chosen)
        let used = run.steering?[level] ?? chosen
        try run.parallel(weights.channels, cost: cost / 2) { channel, _ in
            mix(channel, used, component: run.scratch + component + channel * weights.size, run)
        }
    }

    /// Sums of each channel in `lanes` interleaved sums, so that the order never depends on the processor.
    private func sum(_ map: FeatureMap, rows: Range<Int>, into sums: UnsafeMutablePointer<Float>, _ run: Run) {
        sums.update(repeating: 0, count: map.channels * lanes)
        let whole = map.width / lanes * lanes
        for y in rows where run.goesOn() {
            let row = map.row(y, in: run.memory)
            for c in 0..<map.channels {
                let line = UnsafeRawPointer(row + c * map.channelStride), out = sums + c * lanes
                var sum = UnsafeRawPointer(out).loadUnaligned(as: SIMD16<Float>.self)
                for x in stride(from: 0, to: whole, by: lanes) {
                    sum += (line + 4 * x).loadUnaligned(as: SIMD16<Float>.self)
                }
                UnsafeMutableRawPointer(out).storeBytes(of: sum, as: SIMD16<Float>.self)
                for x in whole..<map.width { out[x - whole] += row[c * map.channelStride + x] }
            }
        }
    }

    private func mixture(_ run: Run) -> [Float] {
        let pixels = Double(features.height * features.width)
        let means = (0..<features.channels).map { c in
            var sum = 0.0
            for band in bands.indices {
                let lane = run.scratch + sums + (band * features.channels + c) * lanes
                for i in 0..<lanes { sum += Double(lane[i]) }
            }
            return Float(sum / pixels)
        }
        let linear = weights.linear.floats(run.kernels)
        var scores = weights.bias.indices.map { k in
            zip(linear[k * means.count..<(k + 1) * means.count], means).reduce(weights.bias[k]) { $0 + $1.0 * $1.1 }
        }
        scores.withUnsafeMutableBufferPointer { softmax($0.baseAddress!, count: $0.count) }
        return scores
    }

    private func mix(_ channel: Int, _ shares: [Float], component: UnsafeMutablePointer<Float>, _ run: Run) {
        let size = weights.size
        for y in 0..<size {
            let out = mixed.row(y, in: run.memory) + channel * mixed.channelStride
            out.update(repeating: 0, count: size)
            for (k, share) in shares.enumerated() {
                let start = ((k * weights.channels + channel) * size + y) * size
                weights.components.decode(start..<start + size, to: component, run.kernels)
                for x in 0..<size { out[x] += share * component[x] }
            }
        }
    }
}
