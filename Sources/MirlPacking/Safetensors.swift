import MirlWeights

/// A checkpoint in the safetensors format: a length, a JSON header, and the tensors' bytes without a hole between them.
package struct Safetensors {
    package private(set) var metadata: [String: String] = [:]
    package private(set) var tensors: [String: Tensor] = [:]
    /// The types of tensors that hold something other than floats, such as counters of training.
    private var others: [String: String] = [:]

    /// As large as the reference implementation allows.
    private static let maximumHeader = 100_000_000

    /// Reads the checkpoint in `bytes`, into which the tensors then point.
    package init(_ bytes: UnsafeRawBufferPointer) throws(PackError) {
        guard bytes.count >= 8 else { throw PackError("file of \(bytes.count) bytes is no safetensors file") }
        let length: UInt64 = bytes.integer(at: 0)
        guard length <= Self.maximumHeader, Int(length) <= bytes.count - 8 else {
            let most = min(bytes.count - 8, Self.maximumHeader)
            throw PackError("no safetensors file, or cut short: header length is \(length), expected at most \(most)")
        }
        let dataStart = 8 + Int(length)
        let json = try JSON(parsing: bytes.slice(8..<dataStart))
        guard case .object(let members) = json else { throw PackError("header is not a JSON object") }

        let data = bytes.slice(dataStart..<bytes.count)
        var ranges: [(range: Range<Int>, name: String)] = []
        for (name, value) in members {
            if name == "__metadata__" {
                metadata = try Self.metadata(value)
            } else {
                let range = try addTensor(name, value, data)
                ranges.append((range, name))
            }
        }
        try Self.checkNoHoles(ranges, size: data.count)
    }

    private static func metadata(_ value: JSON) throws(PackError) -> [String: String] {
        guard case .object(let members) = value else { throw PackError("__metadata__ is not a JSON object") }
        let texts = members.compactMapValues(\.string)
        guard texts.count == members.count else { throw PackError("__metadata__ holds something other than text") }
        return texts
    }

    private mutating func addTensor(
        _ name: String, _ value: JSON, _ data: UnsafeRawBufferPointer
    ) throws(PackError) -> Range<Int> {
        func failure(_ reason: String) -> PackError { PackError("\(printable(name.utf8)): \(reason)") }
        guard case .object(let fields) = value, Set(fields.keys) == ["dtype", "shape", "data_offsets"] else {
            throw failure("dtype, shape and data_offsets expected, and nothing else")
        }
        guard let code = fields["dtype"]?.string else { throw failure("dtype is not a name") }
        guard let shape = fields["shape"]?.integers, shape.count <= 8, shape.allSatisfy({ $0 >= 0 }) else {
            throw failure("shape is not a short list of sizes")
        }
        guard let offsets = fields["data_offsets"]?.integers, offsets.count == 2,
            0 <= offsets[0], offsets[0] <= offsets[1], offsets[1] <= data.count
        else { throw failure("data_offsets do not lie in the file's \(data.count) bytes of data") }
        guard let type = ElementType(rawValue: code) else {
            others[name] = code
            return offsets[0]..<offsets[1]
        }
        let length = offsets[1] - offsets[0]
        guard product(shape, type.size) == length else {
            throw failure("has \(length) bytes of data, which its shape \(shape) and dtype \(code) do not make")
        }
        tensors[name] = Tensor(type: type, shape: shape, bytes: data.slice(offsets[0]..<offsets[1]))
        return offsets[0]..<offsets[1]
    }

    package var names: [String] { Array(tensors.keys) + Array(others.keys) }

    /// The tensors called so, which are some of `names`.
    package func tensors(_ names: [String]) throws(PackError) -> [String: Tensor] {
        if let (name, code) = names.compactMap({ name in others[name].map { (name, $0) } }).min(by: <) {
            let name = printable(name.utf8), code = printable(code.utf8)
            throw PackError("\(name): dtype is not F64, F32, F16 or BF16 but \(code)")
        }
        let names = Set(names)
        return tensors.filter { names.contains($0.key) }
    }

    private static func checkNoHoles(_ ranges: [(range: Range<Int>, name: String)], size: Int) throws(PackError) {
        var end = 0
        let ordered = ranges.sorted {
            ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
        }
        for (range, name) in ordered {
            guard range.lowerBound == end else {
                throw PackError("\(printable(name.utf8)): data begins at byte \(range.lowerBound), expected \(end)")
            }
            end = range.upperBound
        }
        guard end == size else { throw PackError("tensors end at byte \(end) of \(size) bytes of data") }
    }
}
