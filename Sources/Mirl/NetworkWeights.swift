import MirlKernels
import MirlWeights

/// A transformer block: x += attention(norm1(x)), x += feedForward(norm2(x)) (Restormer, section 3).
struct BlockWeights: Sendable {
    let channels: Int
    let heads: Int
    let hidden: Int
    let norm1, norm2: (weight: [Float], bias: [Float])
    let temperature: [Float]
    let qkv, qkvDepthwise, attentionOut: Matrix
    let projectIn, depthwise, projectOut: Matrix
}

/// A prompt block (PromptIR, section 3.1).
struct PromptWeights: Sendable {
    let channels: Int
    let size: Int
    let components: Matrix
    let linear: Matrix
    let bias: [Float]
    let conv: Matrix
}

/// The tensors of a network by the part they play; valid as long as the file they were taken from.
struct NetworkWeights: Sendable {
    let architecture: Architecture
    let patchEmbed, output: Matrix
    let encoder: [[BlockWeights]]  // levels 1 to 3
    let latent: [BlockWeights]
    let decoder: [[BlockWeights]]  // levels 1 to 3
    let refinement: [BlockWeights]
    let down: [Matrix]  // from levels 1 to 3
    let up: [Matrix]  // to levels 1 to 3
    let prompts: [PromptWeights]  // of levels 1 to 3
    let noise: [BlockWeights]
    let reduceNoise: [Matrix]
    let reduceChannels: [Matrix?]  // of levels 1 to 3; level 1 has none
}

extension NetworkWeights {
    /// The file holds every tensor of its architecture in the right size: opening has made sure.
    init(_ file: WeightFile) {
        let reader = Reader(file: file)
        let a = file.architecture, d = a.width
        func level(_ name: String, _ width: Int, _ heads: Int, _ count: Int) -> [BlockWeights] {
            (0..<count).map { reader.block("\(name).\($0)", channels: width * d, heads: heads) }
        }
        architecture = a
        patchEmbed = reader.matrix("patch_embed.proj.weight")
        output = reader.matrix("output.weight")
        encoder = (0..<3).map { level("encoder_level\($0 + 1)", 1 << $0, a.heads[$0], a.blocks[$0]) }
        latent = level("latent", 8, a.heads[3], a.blocks[3])
        let widths = [2, 2, 4]
        decoder = (0..<3).map { level("decoder_level\($0 + 1)", widths[$0], a.heads[$0], a.blocks[$0]) }
        refinement = level("refinement", 2, a.heads[0], a.refinement)
        down = ["down1_2", "down2_3", "down3_4"].map { reader.matrix("\($0).body.0.weight") }
        up = ["up2_1", "up3_2", "up4_3"].map { reader.matrix("\($0).body.0.weight") }
        prompts = (0..<3).map {
            reader.prompt("prompt\($0 + 1)", channels: a.promptChannels[$0], size: a.promptSizes[$0])
        }
        noise = (0..<3).map {
            reader.block("noise_level\($0 + 1)", channels: (2 << $0) * d + a.promptChannels[$0], heads: a.promptHeads)
        }
        reduceNoise = (1...3).map { reader.matrix("reduce_noise_level\($0).weight") }
        reduceChannels = [nil] + (2...3).map { reader.matrix("reduce_chan_level\($0).weight") }
    }

    private struct Reader {
        let file: WeightFile
        let kernels = Kernels.chosen

        func matrix(_ name: String) -> Matrix {
            guard let matrix = file.matrix(name) else { preconditionFailure("\(name): unchecked weight file") }
            return matrix
        }

        func vector(_ name: String) -> [Float] { matrix(name).floats(kernels) }

        func block(_ name: String, channels: Int, heads: Int) -> BlockWeights {
            BlockWeights(
                channels: channels, heads: heads, hidden: file.architecture.hidden(channels),
                norm1: (vector("\(name).norm1.body.weight"), vector("\(name).norm1.body.bias")),
                norm2: (vector("\(name).norm2.body.weight"), vector("\(name).norm2.body.bias")),
                temperature: vector("\(name).attn.temperature"),
                qkv: matrix("\(name).attn.qkv.weight"),
                qkvDepthwise: matrix("\(name).attn.qkv_dwconv.weight"),
                attentionOut: matrix("\(name).attn.project_out.weight"),
                projectIn: matrix("\(name).ffn.project_in.weight"),
                depthwise: matrix("\(name).ffn.dwconv.weight"),
                projectOut: matrix("\(name).ffn.project_out.weight"))
        }

        func prompt(_ name: String, channels: Int, size: Int) -> PromptWeights {
            PromptWeights(
                channels: channels, size: size, components: matrix("\(name).prompt_param"),
                linear: matrix("\(name).linear_layer.weight"), bias: vector("\(name).linear_layer.bias"),
                conv: matrix("\(name).conv3x3.weight"))
        }
    }
}

extension Matrix {
    /// Some of the stored values, written to `out`.
    func decode(_ part: Range<Int>, to out: UnsafeMutablePointer<Float>, _ kernels: mirlk_kernels) {
        let start = values + part.lowerBound * valueType.size
        switch encoding {
        case .float16: kernels.decode_half(start, out, part.count)
        case .float32: UnsafeMutableRawPointer(out).copyMemory(from: start, byteCount: part.count * 4)
        case .int8(let quantization): quantization.decode(values, part, to: out)
        }
    }

    /// All values in row order, zeros included.
    func floats(_ kernels: mirlk_kernels) -> [Float] {
        let stored = [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
            if count > 0 { decode(0..<count, to: buffer.baseAddress!, kernels) }
            initialized = count
        }
        if sparsity == nil { return stored }
        var all = [Float](repeating: 0, count: rows * columns)
        forEachStored(inRows: 0..<rows) { row, place, column in all[row * columns + column] = stored[place] }
        return all
    }
}
