import MirlWeights

/// The network laid out for one image size: its layers in order, and where each map lies in a session's memory.
struct Plan {
    /// The image with its sides padded to multiples of 8: 3 channels, first the input, then the restored image.
    let image: FeatureMap
    let layers: [any Layer]
    /// What the layers leave at named places of the graph, for `Session.trace`.
    let marks: [(layer: Int, name: String, map: FeatureMap)]
    /// Where the layers' scratch memory begins, in floats.
    let scratch: Int
    /// All memory that a run needs, in floats.
    let size: Int
    /// Multiply-adds of all layers.
    let cost: Double

    static let multiple = 8
    /// Whole vectors are read, so a little memory behind the last value must exist.
    private static let slack = 64

    /// nil if the memory could not even be counted.
    init?(_ weights: NetworkWeights, width: Int, height: Int, threads: Int) {
        func padded(_ side: Int) -> Int { (side + Plan.multiple - 1) / Plan.multiple * Plan.multiple }
        guard (1...Geometry.maximumSide).contains(width), (1...Geometry.maximumSide).contains(height) else { return nil }
        var builder = PlanBuilder(weights: weights, width: padded(width), height: padded(height), threads: threads)
        image = builder.build()
        layers = builder.layers
        marks = builder.marks
        scratch = builder.memory.peak
        size = scratch + (layers.map(\.scratch).max() ?? 0) + Plan.slack
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
    var marks: [(layer: Int, name: String, map: FeatureMap)] = []
    var memory = MapMemory()

    private var d: Int { weights.architecture.width }

    init(weights: NetworkWeights, width: Int, height: Int, threads: Int) {
        self.weights = weights
        self.width = width
        self.height = height
        self.threads = threads
    }

    /// Maps that are joined by concatenation share one map from the start: [upsampled | encoder] and [features | prompt].
    mutating func build() -> FeatureMap {
        let image = map(3, level: 1)
        var joined = [map(2 * d, level: 1), map(4 * d, level: 2), map(6 * d, level: 3)]
        let skips = [joined[0][d..<2 * d], joined[1][2 * d..<4 * d], joined[2][2 * d..<6 * d]]
        conv3x3(weights.patchEmbed, image, into: skips[0])
        mark("patch_embed", skips[0])
        for level in 0..<3 {
            blocks(weights.encoder[level], skips[level], "encoder_level\(level + 1)")
            if level < 2 { conv3x3(weights.down[level], skips[level], into: skips[level + 1], .unshuffle) }
        }
        let bottom = map(8 * d + weights.prompts[2].channels, level: 4)
        conv3x3(weights.down[2], skips[2], into: bottom[0..<8 * d], .unshuffle)
        blocks(weights.latent, bottom[0..<8 * d], "latent")
        var features = prompted(2, bottom, channels: 8 * d, reducedTo: 4 * d)
        for level in [2, 1] {
            conv3x3(weights.up[level], features, into: joined[level][0..<2 * d], .shuffle)
            memory.free(features)
            let channels = level == 2 ? 4 * d : 2 * d
            let wide = map(channels + weights.prompts[level - 1].channels, level: level + 1)
            conv1x1(weights.reduceChannels[level]!, joined[level], into: wide[0..<channels])
            memory.free(joined.removeLast())
            blocks(weights.decoder[level], wide[0..<channels], "decoder_level\(level + 1)")
            features = prompted(level - 1, wide, channels: channels, reducedTo: channels)
        }
        conv3x3(weights.up[0], features, into: joined[0][0..<d], .shuffle)
        memory.free(features)
        blocks(weights.decoder[0], joined[0], "decoder_level1")
        blocks(weights.refinement, joined[0], "refinement")
        conv3x3(weights.output, joined[0], into: image, .add)
        mark("output", image)
        return image
    }

    private mutating func mark(_ name: String, _ map: FeatureMap) {
        marks.append((layers.count - 1, name, map))
    }

    private mutating func map(_ channels: Int, level: Int) -> FeatureMap {
        memory.take(channels, height: height >> (level - 1), width: width >> (level - 1))
    }

    private mutating func conv3x3(
        _ convolution: Convolution, _ input: FeatureMap, into output: FeatureMap, _ sink: Conv3x3.Sink = .store
    ) {
        layers.append(Conv3x3(convolution, input, into: output, sink, threads: threads))
    }

    private mutating func conv1x1(_ convolution: Convolution, _ input: FeatureMap, into output: FeatureMap) {
        layers.append(Conv1x1(convolution, input, into: output, threads: threads))
    }

    private mutating func blocks(_ blocks: [BlockWeights], _ map: FeatureMap, _ name: String) {
        for block in blocks {
            layers.append(Attention(block, map, threads: threads))
            layers.append(FeedForward(block, map, threads: threads))
        }
        mark(name, map)
    }

    /// Writes a prompt beside the features in `wide`, lets the two mingle, and frees `wide` for fewer channels.
    private mutating func prompted(_ level: Int, _ wide: FeatureMap, channels: Int, reducedTo: Int) -> FeatureMap {
        let prompt = weights.prompts[level]
        let mixed = memory.take(prompt.channels, height: prompt.size, width: prompt.size)
        layers.append(PromptMixture(prompt, level: level, wide[0..<channels], into: mixed))
        let beside = wide[channels..<channels + prompt.channels]
        layers.append(Conv3x3(prompt.conv, mixed, into: beside, threads: threads, stretched: true))
        mark("prompt\(level + 1)", beside)
        memory.free(mixed)
        blocks([weights.noise[level]], wide, "noise_level\(level + 1)")
        let reduced = memory.take(reducedTo, height: wide.height, width: wide.width)
        conv1x1(weights.reduceNoise[level], wide, into: reduced)
        mark("reduce_noise_level\(level + 1)", reduced)
        memory.free(wide)
        return reduced
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
