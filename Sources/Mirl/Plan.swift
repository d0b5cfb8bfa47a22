import MirlKernels
import MirlWeights

/// The network laid out for one image size: its layers in order, and where each map lies in a session's memory.
struct Plan {
    /// The image with its sides padded to multiples of 8: 3 channels, first the input, then the restored image.
    let image: FeatureMap
    let layers: [any Layer]
    /// So many layers from the first on tell the mixtures of all prompts.
    let judging: Int
    /// Multiply-adds of those.
    var costOfJudging: Double { layers.prefix(judging).reduce(0) { $0 + $1.cost } }
    /// What the layers leave at named places of the graph, for `Session.trace`.
    let marks: [(layer: Int, name: String, features: FeatureStack)]
    /// Where the layers' scratch memory begins, in floats.
    let scratch: Int
    /// All memory that a run needs, in floats.
    let size: Int
    /// Multiply-adds of all layers.
    let cost: Double

    static let multiple = 8
    static func padded(_ side: Int) -> Int { (side + multiple - 1) / multiple * multiple }

    /// Whole vectors are read, so a little memory lies behind the last value.
    init(_ weights: NetworkWeights, width: Int, height: Int, threads: Int) {
        var builder = PlanBuilder(
            weights: weights, width: Self.padded(width), height: Self.padded(height), threads: threads)
        image = builder.build()
        layers = builder.layers
        judging = builder.judging
        marks = builder.marks
        scratch = builder.memory.peak
        size = scratch + (layers.map(\.scratch.size).max() ?? 0) + Int(MIRLK_SLACK)
        cost = layers.reduce(0) { $0 + $1.cost }
    }
}

/// Walks the network's graph (PromptIR, figure 2), placing each map where memory is free at that time.
private struct PlanBuilder {
    let weights: NetworkWeights
    let width: Int
    let height: Int
    let threads: Int
    var layers: [any Layer] = []
    var judging = 0
    var marks: [(layer: Int, name: String, features: FeatureStack)] = []
    var memory = MapMemory()

    private var d: Int { weights.architecture.width }

    /// The features are always changed in place; a concatenation only names its parts.
    mutating func build() -> FeatureMap {
        let image = map(3, level: 1)
        var skips = [map(d, level: 1)]
        conv3x3(weights.patchEmbed, image, into: skips[0])
        mark("patch_embed", skips[0])
        for level in 1...3 {
            blocks(weights.encoder[level - 1], FeatureStack(skips[level - 1]), "encoder_level\(level)")
            skips.append(map(d << level, level: level + 1))
            conv3x3(weights.down[level - 1], skips[level - 1], into: skips[level], .unshuffle)
        }
        var features = skips.removeLast()
        blocks(weights.latent, FeatureStack(features), "latent")
        mingle(prompt: 3, &features, reducedTo: 4 * d)
        for level in [3, 2] {
            let skip = skips.removeLast(), raised = raise(&features, to: level)
            conv1x1(weights.reduceChannels[level - 1]!, FeatureStack(raised, skip), into: skip)
            memory.free(raised)
            features = skip
            blocks(weights.decoder[level - 1], FeatureStack(features), "decoder_level\(level)")
            mingle(prompt: level - 1, &features, reducedTo: features.channels)
        }
        let raised = raise(&features, to: 1), joined = FeatureStack(raised, skips[0])
        blocks(weights.decoder[0], joined, "decoder_level1")
        blocks(weights.refinement, joined, "refinement")
        conv3x3(weights.output, joined, into: image, .add)
        mark("output", image)
        return image
    }

    private mutating func mark(_ name: String, _ stack: FeatureStack) {
        marks.append((layers.count - 1, name, stack))
    }

    private mutating func mark(_ name: String, _ map: FeatureMap) { mark(name, FeatureStack(map)) }

    private mutating func map(_ channels: Int, level: Int) -> FeatureMap {
        memory.take(channels, height: height >> (level - 1), width: width >> (level - 1))
    }

    private mutating func conv3x3(
        _ convolution: Matrix, _ input: FeatureMap, into output: FeatureMap, _ sink: Conv3x3.Sink = .store
    ) {
        conv3x3(convolution, FeatureStack(input), into: output, sink)
    }

    private mutating func conv3x3(
        _ convolution: Matrix, _ input: FeatureStack, into output: FeatureMap, _ sink: Conv3x3.Sink
    ) {
        layers.append(Conv3x3(convolution, input, into: output, sink, threads: threads))
    }

    private mutating func conv1x1(_ convolution: Matrix, _ input: FeatureStack, into output: FeatureMap) {
        layers.append(Conv1x1(convolution, input, into: output, threads: threads))
    }

    private mutating func blocks(_ blocks: [BlockWeights], _ features: FeatureStack, _ name: String) {
        for block in blocks {
            let attention = Attention(block, features, threads: threads)
            if !attention.isDead { layers.append(attention) }
            let feedForward = FeedForward(block, features, threads: threads)
            if !feedForward.isDead { layers.append(feedForward) }
        }
        mark(name, features)
    }

    /// The features at the resolution of the level above; their own map is freed.
    private mutating func raise(_ features: inout FeatureMap, to level: Int) -> FeatureMap {
        let convolution = weights.up[level - 1]
        let raised = map(convolution.rows / 4, level: level)
        conv3x3(convolution, features, into: raised, .shuffle)
        memory.free(features)
        return raised
    }

    /// Puts a prompt beside the features, lets the two mingle, and reduces both to fewer channels of the features' map.
    private mutating func mingle(prompt number: Int, _ features: inout FeatureMap, reducedTo channels: Int) {
        let prompt = weights.prompts[number - 1]
        let beside = memory.take(prompt.channels, height: features.height, width: features.width)
        let mixed = memory.take(prompt.channels, height: prompt.size, width: prompt.size)
        layers.append(PromptMixture(prompt, level: number - 1, features, into: mixed))
        judging = layers.count
        layers.append(Conv3x3(prompt.conv, FeatureStack(mixed), into: beside, threads: threads, stretched: true))
        mark("prompt\(number)", beside)
        memory.free(mixed)
        let joined = FeatureStack(features, beside)
        blocks([weights.noise[number - 1]], joined, "noise_level\(number)")
        features = features[0..<channels]
        conv1x1(weights.reduceNoise[number - 1], joined, into: features)
        mark("reduce_noise_level\(number)", features)
        memory.free(beside)
    }
}

/// Hands out places for maps, each the lowest that is free.
private struct MapMemory {
    private(set) var peak = 0
    private var taken: [Range<Int>] = []

    mutating func take(_ channels: Int, height: Int, width: Int) -> FeatureMap {
        let size = FeatureMap(offset: 0, channels: channels, height: height, width: width).count
        var offset = 0
        for place in taken {
            if place.lowerBound - offset >= size { break }
            offset = place.upperBound
        }
        taken.append(offset..<offset + size)
        taken.sort { $0.lowerBound < $1.lowerBound }
        peak = max(peak, offset + size)
        return FeatureMap(offset: offset, channels: channels, height: height, width: width)
    }

    mutating func free(_ map: FeatureMap) {
        taken.removeAll { $0.lowerBound == map.offset }
    }
}
