import MirlWeights

/// A convolution's weights as the kernels read them, in the weight file's memory.
struct Convolution: Sendable {
    let matrix: Matrix
    let rows: Int
    let columns: Int
    /// Stored values: the multiply-adds of one pixel.
    let count: Int

    init(_ matrix: Matrix) {
        self.matrix = matrix
        rows = matrix.rows
        columns = matrix.columns
        count = matrix.count
    }
}

/// A transformer block: x += attention(norm1(x)), x += feedForward(norm2(x)) (Restormer, section 3).
struct BlockWeights: Sendable {
    let channels: Int
    let heads: Int
    let hidden: Int
    let norm1, norm2: (weight: [Float], bias: [Float])
    let temperature: [Float]
    let qkv, qkvDepthwise, attentionOut: Convolution
    let projectIn, depthwise, projectOut: Convolution
}

/// A prompt block (PromptIR, section 3.1).
struct PromptWeights: Sendable {
    let channels: Int
    let size: Int
    let components: Matrix
    let linear: Matrix
    let bias: [Float]
    let conv: Convolution
}

/// The tensors of a network by the part they play; valid as long as the file they were taken from.
struct NetworkWeights: Sendable {
    let architecture: Architecture
    let patchEmbed, output: Convolution
    let encoder: [[BlockWeights]]  // levels 1 to 3
    let latent: [BlockWeights]
    let decoder: [[BlockWeights]]  // levels 1 to 3
    let refinement: [BlockWeights]
    let down: [Convolution]  // from levels 1 to 3
    let up: [Convolution]  // to levels 1 to 3
    let prompts: [PromptWeights]  // of levels 1 to 3
    let noise: [BlockWeights]
    let reduceNoise: [Convolution]
    let reduceChannels: [Convolution?]  // of levels 1 to 3; level 1 has none
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
        patchEmbed = reader.convolution("patch_embed.proj.weight")
        output = reader.convolution("output.weight")
        encoder = (0..<3).map { level("encoder_level\($0 + 1)", 1 << $0, a.heads[$0], a.blocks[$0]) }
        latent = level("latent", 8, a.heads[3], a.blocks[3])
        let widths = [2, 2, 4]
        decoder = (0..<3).map { level("decoder_level\($0 + 1)", widths[$0], a.heads[$0], a.blocks[$0]) }
        refinement = level("refinement", 2, a.heads[0], a.refinement)
        down = ["down1_2", "down2_3", "down3_4"].map { reader.convolution("\($0).body.0.weight") }
        up = ["up2_1", "up3_2", "up4_3"].map { reader.convolution("\($0).body.0.weight") }
        prompts = (0..<3).map {
            reader.prompt("prompt\($0 + 1)", channels: a.promptChannels[$0], size: a.promptSizes[$0])
        }
        noise = (0..<3).map {
            reader.block("noise_level\($0 + 1)", channels: (2 << $0) * d + a.promptChannels[$0], heads: a.promptHeads)
        }
        reduceNoise = (1...3).map { reader.convolution("reduce_noise_level\($0).weight") }
        reduceChannels = [nil] + (2...3).map { reader.convolution("reduce_chan_level\($0).weight") }
    }

    private struct Reader {
        let file: WeightFile

        func matrix(_ name: String) -> Matrix {
            guard let matrix = file.matrix(name) else { preconditionFailure("\(name): unchecked weight file") }
            return matrix
        }

        func convolution(_ name: String) -> Convolution { Convolution(matrix(name)) }

        func vector(_ name: String) -> [Float] { matrix(name).floats() }

        func block(_ name: String, channels: Int, heads: Int) -> BlockWeights {
            BlockWeights(
                channels: channels, heads: heads, hidden: file.architecture.hidden(channels),
                norm1: (vector("\(name).norm1.body.weight"), vector("\(name).norm1.body.bias")),
                norm2: (vector("\(name).norm2.body.weight"), vector("\(name).norm2.body.bias")),
                temperature: vector("\(name).attn.temperature"),
                qkv: convolution("\(name).attn.qkv.weight"),
                qkvDepthwise: convolution("\(name).attn.qkv_dwconv.weight"),
                attentionOut: convolution("\(name).attn.project_out.weight"),
                projectIn: convolution("\(name).ffn.project_in.weight"),
                depthwise: convolution("\(name).ffn.dwconv.weight"),
                projectOut: convolution("\(name).ffn.project_out.weight"))
        }

        func prompt(_ name: String, channels: Int, size: Int) -> PromptWeights {
            PromptWeights(
                channels: channels, size: size, components: matrix("\(name).prompt_param"),
                linear: matrix("\(name).linear_layer.weight"), bias: vector("\(name).linear_layer.bias"),
                conv: convolution("\(name).conv3x3.weight"))
        }
    }
}

extension Matrix {
    /// The values of a part of a dense matrix, counted in row order, written to `out`.
    func decode(_ part: Range<Int>, to out: UnsafeMutablePointer<Float>) {
        let start = values + part.lowerBound * valueType.size
        switch encoding {
        case .float16: Kernels.best.decode_half(start, out, part.count)
        case .float32: UnsafeMutableRawPointer(out).copyMemory(from: start, byteCount: part.count * 4)
        case .int8(let quantization): quantization.decode(values, part, to: out)
        }
    }

    /// All values in row order, zeros included.
    func floats() -> [Float] {
        let stored = [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
            if count > 0 { decode(0..<count, to: buffer.baseAddress!) }
            initialized = count
        }
        guard let sparsity else { return stored }
        var all = [Float](repeating: 0, count: rows * columns)
        for row in 0..<rows {
            for i in Int(sparsity.rowStarts[row])..<Int(sparsity.rowStarts[row + 1]) {
                all[row * columns + Int(sparsity.columns[i])] = stored[i]
            }
        }
        return all
    }
}
