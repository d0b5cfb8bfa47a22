// The architecture of a checkpoint: as its metadata states it, or as its tensors' shapes show it.
import MirlWeights

extension Architecture {
    init(of checkpoint: StateDict) throws(PackError) {
        if let config = checkpoint.metadata["config"] {
            try self.init(config: config)
        } else {
            try self.init(shapesOf: checkpoint)
        }
        do throws(WeightError) { try validate() } catch { throw PackError("architecture: \(error)") }
    }

    /// Reads the JSON that the training code's `Config.as_json` writes.
    private init(config: String) throws(PackError) {
        guard case .object(var fields) = try JSON(parsing: config.utf8) else {
            throw PackError("config is not a JSON object")
        }
        func take<T>(_ key: String, _ convert: (JSON) -> T?) throws(PackError) -> T {
            guard let value = fields.removeValue(forKey: key).flatMap(convert) else {
                throw PackError("config: \(key) is missing or of the wrong type")
            }
            return value
        }
        self.init()
        width = try take("width", \.integer)
        blocks = try take("blocks", \.integers)
        refinement = try take("refinement", \.integer)
        heads = try take("heads", \.integers)
        promptHeads = try take("prompt_heads", \.integer)
        expansion = try take("expansion") { if case .number(let value) = $0 { value } else { nil } }
        promptChannels = try take("prompt_channels", \.integers)
        promptSizes = try take("prompt_sizes", \.integers)
        promptComponents = try take("prompt_components", \.integer)
        if let key = fields.keys.min() { throw PackError("config: \(printable(key.utf8)) is not known") }
    }

    /// Infers everything from shapes: the heads from those of the temperatures, the expansion from hidden channels.
    private init(shapesOf checkpoint: StateDict) throws(PackError) {
        func dimension(_ index: Int, of name: String, rank: Int) throws(PackError) -> Int {
            guard let shape = checkpoint.tensors[name]?.shape else {
                throw PackError("\(name) is missing, and the metadata has no config")
            }
            guard shape.count == rank else {
                throw PackError("\(name): shape is \(shape), expected \(rank) dimensions")
            }
            return shape[index]
        }
        func blockCount(_ level: String) -> Int {
            (0...).first { checkpoint.tensors["\(level).\($0).attn.temperature"] == nil } ?? 0
        }
        func heads(_ block: String) throws(PackError) -> Int {
            try dimension(0, of: block + ".attn.temperature", rank: 3)
        }
        func prompts(_ index: Int) throws(PackError) -> [Int] {
            var sizes: [Int] = []
            for n in 1...3 { sizes.append(try dimension(index, of: "prompt\(n).prompt_param", rank: 5)) }
            return sizes
        }
        let levels = ["encoder_level1", "encoder_level2", "encoder_level3", "latent"]
        self.init()
        width = try dimension(0, of: "patch_embed.proj.weight", rank: 4)
        blocks = levels.map(blockCount)
        refinement = blockCount("refinement")
        self.heads = []
        for level in levels { self.heads.append(try heads(level + ".0")) }
        promptHeads = try heads("noise_level1")
        promptComponents = try dimension(1, of: "prompt1.prompt_param", rank: 5)
        promptChannels = try prompts(2)
        promptSizes = try prompts(3)
        let blocks = levels.map { $0 + ".0" } + (1...3).map { "noise_level\($0)" }
        var widths: [(channels: Int, hidden: Int)] = []
        for block in blocks {
            let name = block + ".ffn.project_out.weight"
            widths.append((try dimension(0, of: name, rank: 4), try dimension(1, of: name, rank: 4)))
        }
        expansion = try Self.expansion(of: widths)
    }

    /// The shortest number that makes as many hidden channels of as many channels; the paper's if it does.
    private static func expansion(of widths: [(channels: Int, hidden: Int)]) throws(PackError) -> Double {
        let shapes = widths.map { "\($0.hidden) of \($0.channels)" }.joined(separator: ", ")
        func fits(_ candidate: Double) -> Bool {
            widths.allSatisfy { Int(Double($0.channels) * candidate) == $0.hidden }
        }
        guard widths.allSatisfy({ (1...65536).contains($0.channels) && (1...65536).contains($0.hidden) }) else {
            throw PackError("feed-forward layers have \(shapes) channels")
        }
        let paper = Architecture().expansion
        if fits(paper) { return paper }
        let least = widths.map { Double($0.hidden) / Double($0.channels) }.max() ?? paper
        let roundings = sequence(first: 1.0, next: { $0 * 10 }).prefix(10).map { (least * $0).rounded(.up) / $0 }
        guard let found = roundings.first(where: fits) else {
            throw PackError("no expansion makes the feed-forward layers' hidden channels: \(shapes)")
        }
        return found
    }
}
