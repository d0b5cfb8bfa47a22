/// A record of a weight file: what it declares of one tensor, checked against what the network demands.
struct Record {
    let spec: TensorSpec
    let isSparse: Bool
    let valueType: ValueType
    let count: Int
    /// Of values that share a scale and an offset if they have 8 bits.
    let groups: Int
    let offset: Int
    let layout: Layout.Payload
    let checksum: UInt32

    private typealias Field = Layout.Record

    /// `bytes` are those of the record, `offset` is where its payload must be, `limit` where the file ends.
    init(_ bytes: UnsafeRawBufferPointer, for spec: TensorSpec, at offset: Int, limit: Int) throws(WeightError) {
        func check<T: Equatable>(_ field: String, _ declared: T, _ expected: T) throws(WeightError) {
            try require(declared == expected, "\(spec.name): \(field)", is: declared, expected: expected)
        }
        self.spec = spec
        self.offset = offset
        isSparse = try Self.isSparse(bytes, spec)
        valueType = try Self.valueType(bytes, spec)
        try check("rows", bytes.number(at: Field.rows), spec.rows)
        try check("columns", bytes.number(at: Field.columns), spec.columns)
        count = bytes.number(at: Field.count)
        if isSparse {
            try require(
                count <= spec.rows * spec.columns, "\(spec.name): stored count", is: count,
                expected: "at most \(spec.rows * spec.columns)")
        } else {
            try check("stored count", count, spec.rows * spec.columns)
        }
        groups = if let size = spec.groupSize { count / size } else { 1 }
        layout = Layout.Payload(
            cells: isSparse ? spec.rows * Layout.cells(columns: spec.columns).count : nil, valueType: valueType, count: count,
            groups: groups)
        try check("payload offset", bytes.integer(at: Field.offset), UInt64(offset))
        try check("payload length", bytes.integer(at: Field.length), UInt64(layout.length))
        try require(
            offset <= limit && layout.length <= limit - offset, "\(spec.name): payload end",
            is: offset + layout.length, expected: "at most \(limit), as the file ends")
        checksum = bytes.integer(at: Field.checksum)
        try check("reserved bytes", bytes.integer(at: Field.reserved, as: UInt32.self), 0)
    }

    private static func isSparse(_ bytes: UnsafeRawBufferPointer, _ spec: TensorSpec) throws(WeightError) -> Bool {
        let encoding: UInt16 = bytes.integer(at: Field.sparse)
        try require(
            encoding <= (spec.kind.isSparse ? 1 : 0), "\(spec.name): encoding", is: encoding,
            expected: spec.kind.isSparse ? "0 (dense) or 1 (sparse)" : "0 (dense)")
        return encoding == 1
    }

    private static func valueType(
        _ bytes: UnsafeRawBufferPointer, _ spec: TensorSpec
    ) throws(WeightError) -> ValueType {
        let code: UInt16 = bytes.integer(at: Field.valueType)
        let names = ["0 (fp32)", "1 (fp16)", "2 (int8)"].prefix(spec.kind.isSingle ? 1 : 3)
        guard code < names.count, let type = ValueType(rawValue: code) else {
            throw .invalid(
                field: "\(spec.name): value type", declared: "\(code)", expected: names.joined(separator: " or "))
        }
        return type
    }

    static func hasName(_ name: String, _ bytes: UnsafeRawBufferPointer) -> Bool {
        var name = name
        return name.withUTF8 { text in
            text.count < Field.nameSize && text.indices.allSatisfy { text[$0] == bytes[$0] }
                && bytes.isZero(text.count..<Field.nameSize)
        }
    }

    static func name(_ bytes: UnsafeRawBufferPointer) -> String {
        printable(bytes.prefix(Field.nameSize).prefix { $0 != 0 })
    }
}
