import MirlPacking
import MirlWeights

/// A checkpoint made up in memory, which tests can damage before it becomes a safetensors file.
public struct Checkpoint: Sendable {
    public struct Tensor: Sendable {
        public var type: String
        public var shape: [Int]
        public var bytes: [UInt8]

        public init(_ values: [Float], shape: [Int]) {
            type = "F32"
            self.shape = shape
            bytes = values.flatMap { value in withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) } }
        }

        public init(type: String, shape: [Int], bytes: [UInt8]) {
            self.type = type
            self.shape = shape
            self.bytes = bytes
        }

        public var values: [Float] {
            bytes.withUnsafeBytes { bytes in
                (0..<bytes.count / 4).map { Float(bitPattern: bytes.integer(at: 4 * $0)) }
            }
        }
    }

    public var metadata: [String: String] = [:]
    public var tensors: [String: Tensor] = [:]

    /// Random weights of which a share of `density` is not zero, in those tensors that may be sparse. LayerNorms and
    /// convolutions are scaled so that activations stay near 1; mixtures are shares.
    public init(_ architecture: Architecture, density: Double = 0.3, mixtures: Bool = true, seed: UInt64 = 1) {
        var random = Random(seed: seed)
        for spec in architecture.tensors + (mixtures ? architecture.mixtures : []) {
            let scale = spec.kind.isSparse ? Float(spec.columns).squareRoot() * Float(density).squareRoot() : 1
            let values = (0..<spec.rows * spec.columns).map { _ in
                let value = Float.random(in: -1...1, using: &random) / max(scale, 1)
                return spec.kind.isSparse && Double.random(in: 0..<1, using: &random) >= density ? 0 : value
            }
            let isMixture = spec.name.hasPrefix("mixture.")
            tensors[spec.name] = Tensor(isMixture ? values.map(abs) : values, shape: spec.shape)
        }
        metadata["config"] = architecture.config
    }

    /// The bytes of the safetensors file.
    public var safetensors: [UInt8] {
        let names = tensors.keys.sorted()
        var members: [String] = [], end = 0
        if !metadata.isEmpty {
            let texts = metadata.sorted { $0.key < $1.key }.map { "\(quoted($0.key)): \(quoted($0.value))" }
            members.append("\"__metadata__\": {\(texts.joined(separator: ", "))}")
        }
        for name in names {
            let tensor = tensors[name]!, start = end
            end += tensor.bytes.count
            let type = "\"dtype\": \"\(tensor.type)\", \"shape\": \(tensor.shape)"
            members.append("\(quoted(name)): {\(type), \"data_offsets\": [\(start), \(end)]}")
        }
        return Self.file(header: "{\(members.joined(separator: ", "))}", data: names.flatMap { tensors[$0]!.bytes })
    }

    /// A safetensors file with any header.
    public static func file(header: String, data: [UInt8]) -> [UInt8] {
        withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) } + Array(header.utf8) + data
    }

    /// The weight file.
    public func packed(
        _ valueType: ValueType = .float32, prompts: ValueType? = nil, provenance: String? = nil
    ) throws -> [UInt8] {
        let options = PackOptions(values: valueType, prompts: prompts, provenance: provenance)
        return try safetensors.withUnsafeBytes { try pack(safetensors: $0, options) }
    }

    private func quoted(_ text: String) -> String {
        "\"" + text.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : "\($0)" }.joined() + "\""
    }
}

extension Architecture {
    /// A network with all parts, in some tens of kilobytes.
    public static var tiny: Architecture {
        var tiny = Architecture()
        tiny.width = 4
        tiny.blocks = [1, 2, 1, 1]
        tiny.refinement = 1
        tiny.heads = [1, 2, 4, 8]
        tiny.promptHeads = 2
        tiny.promptChannels = [2, 4, 6]
        tiny.promptSizes = [4, 2, 1]
        tiny.promptComponents = 3
        return tiny
    }

    /// The same, so wide that rows have more than 256 columns.
    public static var wide: Architecture {
        var wide = tiny
        wide.width = 14
        return wide
    }

    /// As the training code writes it.
    public var config: String {
        """
        {"width": \(width), "blocks": \(blocks), "refinement": \(refinement), "heads": \(heads), \
        "prompt_heads": \(promptHeads), "expansion": \(expansion), "prompt_channels": \(promptChannels), \
        "prompt_sizes": \(promptSizes), "prompt_components": \(promptComponents)}
        """
    }
}

extension Matrix {
    /// All values, zeros included, row after row.
    public var dense: [Float] {
        var dense = [Float](repeating: 0, count: rows * columns)
        forEachStored(inRows: 0..<rows) { row, place, column in dense[row * columns + column] = value(place) }
        return dense
    }
}
