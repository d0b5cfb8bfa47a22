// Packs a checkpoint into a weight file.
import MirlWeights

/// How a weight file stores its values, and what it says of their origin.
public struct PackOptions: Sendable {
    /// For matrices; vectors are fp32 always.
    public var values: ValueType
    public var prompts: ValueType
    /// Instead of what the checkpoint's metadata says under that name.
    public var provenance: String?

    /// Prompts are stored as the other values are where nothing else is said.
    public init(values: ValueType, prompts: ValueType? = nil, provenance: String? = nil) {
        self.values = values
        self.prompts = prompts ?? values
        self.provenance = provenance
    }
}

/// The weight file, as described in mirl-weights(5), of the checkpoint in `safetensors`.
public func pack(safetensors: UnsafeRawBufferPointer, _ options: PackOptions) throws(PackError) -> [UInt8] {
    let file = try Safetensors(safetensors)
    return try pack(StateDict(metadata: file.metadata, tensors: file.tensors(file.names)), options)
}

/// The same from a file.
public func pack(safetensors path: String, _ options: PackOptions) throws(PackError) -> [UInt8] {
    try withFile(path) { bytes throws(PackError) in try pack(safetensors: bytes, options) }
}

func pack(_ checkpoint: StateDict, _ options: PackOptions) throws(PackError) -> [UInt8] {
    let architecture = try Architecture(of: checkpoint)
    let specs = architecture.tensors + architecture.mixtures.filter { checkpoint.tensors[$0.name] != nil }
    try refuseForeign(checkpoint, known: specs)
    let provenance = options.provenance ?? checkpoint.metadata["provenance"] ?? ""
    var file = try FileBuilder(architecture, recordCount: specs.count, provenance: provenance)
    for spec in specs {
        let type = spec.groupSize == nil ? options.values : options.prompts
        try file.append(spec, checkpoint.values(of: spec), type)
    }
    return file.finish()
}

/// Calls `body` with the bytes of the file at `path`.
func withFile<Result>(
    _ path: String, _ body: (UnsafeRawBufferPointer) throws(PackError) -> Result
) throws(PackError) -> Result {
    let file: Storage
    do throws(WeightError) { file = try Storage(mapping: path) } catch { throw PackError(error.description) }
    return try withExtendedLifetime(file) { () throws(PackError) in try body(file.bytes) }
}

private func refuseForeign(_ checkpoint: StateDict, known specs: [TensorSpec]) throws(PackError) {
    let foreign = Set(checkpoint.tensors.keys).subtracting(specs.map(\.name)).subtracting(unusedTensors)
    if let name = foreign.min() { throw PackError("\(printable(name.utf8)) is not a tensor of this network") }
}

/// Published checkpoints hold these, but no forward pass reads them.
private let unusedTensors = (1...3).flatMap { ["chnl_reduce\($0).weight", "reduce_noise_channel_\($0).weight"] }

extension StateDict {
    fileprivate func values(of spec: TensorSpec) throws(PackError) -> [Float] {
        guard let tensor = tensors[spec.name] else { throw PackError("\(spec.name) is missing") }
        guard tensor.shape == spec.shape else {
            throw PackError("\(spec.name): shape is \(tensor.shape), expected \(spec.shape)")
        }
        return tensor.values
    }
}

/// The bytes of a weight file in the making: front matter with blanks, then payload after payload.
private struct FileBuilder {
    private var bytes: [UInt8]
    private var recordCount = 0
    private let frontEnd: Int

    private typealias Header = Layout.Header
    private typealias Record = Layout.Record

    init(_ architecture: Architecture, recordCount: Int, provenance: String) throws(PackError) {
        let text = Array(provenance.utf8)
        guard text.count <= Layout.maximumProvenance else {
            throw PackError("provenance has \(text.count) bytes, expected at most \(Layout.maximumProvenance)")
        }
        bytes = Array(repeating: 0, count: Header.size + recordCount * Record.size) + text
        frontEnd = bytes.count
        bytes.store(Layout.magic, at: Header.magic)
        bytes.store(Layout.version, at: Header.version)
        bytes.store(UInt32(Header.size), at: Header.headerLength)
        bytes.store(UInt32(recordCount), at: Header.recordCount)
        bytes.store(UInt32(text.count), at: Header.provenanceLength)
        bytes.store([architecture.width], at: Header.width)
        bytes.store(architecture.blocks, at: Header.blocks)
        bytes.store([architecture.refinement], at: Header.refinement)
        bytes.store(architecture.heads, at: Header.heads)
        bytes.store([architecture.promptHeads], at: Header.promptHeads)
        bytes.store([architecture.promptComponents], at: Header.promptComponents)
        bytes.store(architecture.expansion.bitPattern, at: Header.expansion)
        bytes.store(architecture.promptChannels, at: Header.promptChannels)
        bytes.store(architecture.promptSizes, at: Header.promptSizes)
    }

    mutating func append(_ spec: TensorSpec, _ values: [Float], _ valueType: ValueType) throws(PackError) {
        let encoding = try Encoding(values, as: spec, valueType: valueType)
        bytes.appendZeros(upTo: Layout.aligned(bytes.count))
        let record = Header.size + recordCount * Record.size
        let name = Array(spec.name.utf8)
        bytes.replaceSubrange(record..<record + name.count, with: name)
        bytes.store(UInt16(encoding.isSparse ? 1 : 0), at: record + Record.sparse)
        bytes.store(encoding.valueType.rawValue, at: record + Record.valueType)
        bytes.store([spec.rows, spec.columns, encoding.count], at: record + Record.rows)
        bytes.store(UInt64(bytes.count), at: record + Record.offset)
        bytes.store(UInt64(encoding.payload.count), at: record + Record.length)
        let checksum = encoding.payload.withUnsafeBytes { Checksum($0).value }
        bytes.store(checksum, at: record + Record.checksum)
        bytes += encoding.payload
        recordCount += 1
    }

    mutating func finish() -> [UInt8] {
        bytes.store(UInt64(bytes.count), at: Header.fileLength)
        let checksum = bytes.withUnsafeBytes { Checksum(front: $0.slice(0..<frontEnd)).value }
        bytes.store(checksum, at: Header.checksum)
        return bytes
    }
}
