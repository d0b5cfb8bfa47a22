/// An open weight file: the tensors of a network, used where they lie.
///
/// Opening checks everything that memory safety depends on and every checksum: each tensor that the architecture
/// demands is there, with its size, and every index in it is in range. The format is described in mirl-weights(5).
public final class WeightFile: Sendable {
    public let architecture: Architecture
    /// Where the weights come from, in their maker's words.
    public let provenance: String
    /// The tensors in the file's order.
    public let tensors: [TensorSpec]
    let matrices: [String: Matrix]
    private let storage: Storage

    /// Maps the file at `path`, which must not change while it is open.
    public convenience init(path: String) throws(WeightError) { try self.init(Storage(mapping: path)) }

    public convenience init(copying bytes: UnsafeRawBufferPointer) throws(WeightError) {
        try self.init(Storage(copying: bytes))
    }

    /// Uses `bytes`, which begin at a multiple of 64, where they lie; they must outlive the object and not change.
    public convenience init(borrowing bytes: UnsafeRawBufferPointer) throws(WeightError) {
        try self.init(Storage(borrowing: bytes))
    }

    private init(_ storage: Storage) throws(WeightError) {
        let front = try FrontMatter(storage.bytes)
        let table = try PayloadTable(front)
        architecture = front.architecture
        provenance = front.provenance
        tensors = table.tensors
        matrices = table.matrices
        self.storage = storage
    }

    /// The bytes of the whole file.
    public var size: Int { storage.bytes.count }

    /// The tensor called `name` in a checkpoint. It holds as long as this object.
    public func matrix(_ name: String) -> Matrix? { matrices[name] }

    /// The mean prompt mixture of "denoise", "derain", "dehaze" or "clean": row n is that of prompt n + 1.
    public func mixture(of kind: String) -> Matrix? { matrices["mixture." + kind] }
}

/// Walks records and payloads side by side: both come in the order of `Architecture.tensors`, so that a tensor that is
/// missing, doubled or foreign, a hole or an overlap, all show as a departure from the one order there is.
private struct PayloadTable {
    private(set) var tensors: [TensorSpec] = []
    private(set) var matrices: [String: Matrix] = [:]
    private let front: FrontMatter
    /// Where the payloads read so far end.
    private var end: Int

    init(_ front: FrontMatter) throws(WeightError) {
        self.front = front
        end = front.end
        let required = front.architecture.tensors, optional = front.architecture.mixtures
        let counts = required.count...required.count + optional.count
        try require(
            counts.contains(front.recordCount), "record count", is: front.recordCount,
            expected: "\(counts.lowerBound)...\(counts.upperBound), as the architecture has it")
        tensors.reserveCapacity(front.recordCount)
        matrices.reserveCapacity(front.recordCount)

        for spec in required { try read(spec) }
        for spec in optional where tensors.count < front.recordCount && Record.hasName(spec.name, nextRecord) {
            try read(spec)
        }
        try require(
            tensors.count == front.recordCount, "name of record \(tensors.count)", is: Record.name(nextRecord),
            expected: "a mixture")
        try require(end == front.bytes.count, "file length", is: front.bytes.count, expected: end)
    }

    private var nextRecord: UnsafeRawBufferPointer {
        let start = Layout.Header.size + tensors.count * Layout.Record.size
        return front.bytes.slice(start..<start + Layout.Record.size)
    }

    private mutating func read(_ spec: TensorSpec) throws(WeightError) {
        try require(
            Record.hasName(spec.name, nextRecord), "name of record \(tensors.count)", is: Record.name(nextRecord),
            expected: "\"\(spec.name)\"")
        let start = Layout.aligned(end)
        let record = try Record(nextRecord, for: spec, at: start, limit: front.bytes.count)
        try require(front.bytes.isZero(end..<start), "gap before \(spec.name)", is: "not zero", expected: "zero")
        matrices[spec.name] = try record.matrix(in: front.bytes)
        tensors.append(spec)
        end = start + record.layout.length
    }
}
