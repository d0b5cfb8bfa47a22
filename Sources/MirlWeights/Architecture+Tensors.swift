/// What a network demands of one weight tensor.
public struct TensorSpec: Equatable, Sendable {
    public enum Kind: Equatable, Sendable {
        case pointwise, conv3x3, depthwise, linear
        case prompt(size: Int)
        /// LayerNorm weights and biases, other biases.
        case vector
        case temperature
        /// The mean prompt mixture of a kind of images; the one kind that a file may lack.
        case mixture

        /// Whether zeros may be left out.
        public var isSparse: Bool {
            switch self {
            case .pointwise, .conv3x3, .depthwise, .linear: true
            case .prompt, .vector, .temperature, .mixture: false
            }
        }

        /// Whether the values are fp32 whatever the packer chose: they are few, and sensitive.
        public var isSingle: Bool {
            switch self {
            case .vector, .temperature, .mixture: true
            case .pointwise, .conv3x3, .depthwise, .linear, .prompt: false
            }
        }
    }

    /// The values of a prompt that share a scale and an offset where they are stored in 8 bits: a map. Of other tensors
    /// all do.
    public var groupSize: Int? {
        if case .prompt(let size) = kind { size * size } else { nil }
    }

    public let name: String
    public let kind: Kind
    public let rows: Int
    public let columns: Int

    /// The dimensions that the tensor has in a checkpoint.
    public var shape: [Int] {
        switch kind {
        case .pointwise: [rows, columns, 1, 1]
        case .conv3x3: [rows, columns / 9, 3, 3]
        case .depthwise: [rows, 1, 3, 3]
        case .linear, .mixture: [rows, columns]
        case .prompt(let size): [1, rows, columns / (size * size), size, size]
        case .vector: [rows]
        case .temperature: [rows, 1, 1]
        }
    }
}

extension Architecture {
    /// Every tensor of the network in the order in which the forward pass reads them. Only for what `validate` passed.
    public var tensors: [TensorSpec] {
        var list = TensorList(architecture: self)
        list.addNetwork()
        return list.tensors
    }

    /// The tensors that a file may hold behind those of the network: row n is the mixture of prompt n + 1.
    public var mixtures: [TensorSpec] {
        Self.kinds.map { TensorSpec(name: "mixture.\($0)", kind: .mixture, rows: 3, columns: promptComponents) }
    }
}

/// Lists the tensors, one method for each part that the network repeats.
private struct TensorList {
    let architecture: Architecture
    var tensors: [TensorSpec] = []

    init(architecture: Architecture) {
        self.architecture = architecture
        tensors.reserveCapacity(640)
    }

    mutating func add(_ name: String, _ kind: TensorSpec.Kind, _ rows: Int, _ columns: Int = 1) {
        tensors.append(TensorSpec(name: name, kind: kind, rows: rows, columns: columns))
    }

    mutating func addConv3x3(_ name: String, from inputs: Int, to outputs: Int) {
        add(name + ".weight", .conv3x3, outputs, inputs * 9)
    }

    mutating func addPointwise(_ name: String, from inputs: Int, to outputs: Int) {
        add(name + ".weight", .pointwise, outputs, inputs)
    }

    mutating func addDepthwise(_ name: String, _ channels: Int) { add(name + ".weight", .depthwise, channels, 9) }

    mutating func addNorm(_ name: String, _ channels: Int) {
        add(name + ".body.weight", .vector, channels)
        add(name + ".body.bias", .vector, channels)
    }

    mutating func addBlock(_ name: String, _ channels: Int, heads: Int) {
        let hidden = architecture.hidden(channels)
        addNorm(name + ".norm1", channels)
        add(name + ".attn.temperature", .temperature, heads)
        addPointwise(name + ".attn.qkv", from: channels, to: 3 * channels)
        addDepthwise(name + ".attn.qkv_dwconv", 3 * channels)
        addPointwise(name + ".attn.project_out", from: channels, to: channels)
        addNorm(name + ".norm2", channels)
        addPointwise(name + ".ffn.project_in", from: channels, to: 2 * hidden)
        addDepthwise(name + ".ffn.dwconv", 2 * hidden)
        addPointwise(name + ".ffn.project_out", from: hidden, to: channels)
    }

    mutating func addLevel(_ name: String, _ channels: Int, heads: Int, count: Int) {
        for n in 0..<count { addBlock("\(name).\(n)", channels, heads: heads) }
    }

    mutating func addDown(_ name: String, _ channels: Int) {
        addConv3x3(name + ".body.0", from: channels, to: channels / 2)
    }

    mutating func addUp(_ name: String, _ channels: Int) {
        addConv3x3(name + ".body.0", from: channels, to: channels * 2)
    }

    /// The prompt of decoder level `level + 1`, the block that mixes it in, and the layer that takes `outputs` on.
    mutating func addPrompt(_ level: Int, outputs: Int) {
        let channels = architecture.promptChannels[level], size = architecture.promptSizes[level]
        let components = architecture.promptComponents, mixed = architecture.mixedChannels(level)
        let name = "prompt\(level + 1)"
        add(name + ".linear_layer.weight", .linear, components, architecture.promptInputs(level))
        add(name + ".linear_layer.bias", .vector, components)
        add(name + ".prompt_param", .prompt(size: size), components, channels * size * size)
        addConv3x3(name + ".conv3x3", from: channels, to: channels)
        addBlock("noise_level\(level + 1)", mixed, heads: architecture.promptHeads)
        addPointwise("reduce_noise_level\(level + 1)", from: mixed, to: outputs)
    }

    mutating func addNetwork() {
        let d = architecture.width, blocks = architecture.blocks, heads = architecture.heads
        addConv3x3("patch_embed.proj", from: 3, to: d)
        addLevel("encoder_level1", d, heads: heads[0], count: blocks[0])
        addDown("down1_2", d)
        addLevel("encoder_level2", 2 * d, heads: heads[1], count: blocks[1])
        addDown("down2_3", 2 * d)
        addLevel("encoder_level3", 4 * d, heads: heads[2], count: blocks[2])
        addDown("down3_4", 4 * d)
        addLevel("latent", 8 * d, heads: heads[3], count: blocks[3])

        addPrompt(2, outputs: 4 * d)
        addUp("up4_3", 4 * d)
        addPointwise("reduce_chan_level3", from: 6 * d, to: 4 * d)
        addLevel("decoder_level3", 4 * d, heads: heads[2], count: blocks[2])

        addPrompt(1, outputs: 4 * d)
        addUp("up3_2", 4 * d)
        addPointwise("reduce_chan_level2", from: 4 * d, to: 2 * d)
        addLevel("decoder_level2", 2 * d, heads: heads[1], count: blocks[1])

        addPrompt(0, outputs: 2 * d)
        addUp("up2_1", 2 * d)
        addLevel("decoder_level1", 2 * d, heads: heads[0], count: blocks[0])
        addLevel("refinement", 2 * d, heads: heads[0], count: architecture.refinement)
        addConv3x3("output", from: 2 * d, to: 3)
    }
}
