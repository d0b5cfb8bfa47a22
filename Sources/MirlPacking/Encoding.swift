import MirlWeights

/// A tensor encoded as the payload of a weight file: sparse where that spares the engine a sixteenth of the
/// multiply-adds or more, though it be larger, or is smaller; otherwise dense.
struct Encoding {
    let isSparse: Bool
    let valueType: ValueType
    let count: Int
    let payload: [UInt8]

    /// `values` are the rows of `spec` one after another.
    init(_ values: [Float], as spec: TensorSpec, valueType requested: ValueType) throws(PackError) {
        if let bad = values.firstIndex(where: { !$0.isFinite }) {
            throw PackError("\(spec.name): value \(bad) is \(values[bad])")
        }
        valueType = spec.kind.isSingle ? .float32 : requested
        if valueType == .int8, let groupSize = spec.groupSize {
            isSparse = false
            count = values.count
            payload = Self.quantized(values, groupSize: groupSize)
            return
        }
        let bits = try Self.bits(values, spec, valueType)
        let stored = bits.reduce(0) { $0 + ($1 == 0 ? 0 : 1) }
        let dense = Layout.Payload(sparse: false, valueType: valueType, rows: spec.rows, count: bits.count)
        let sparse = Layout.Payload(sparse: true, valueType: valueType, rows: spec.rows, count: stored)
        let mayBeSparse = spec.kind.isSparse && spec.columns <= Layout.maximumSparseColumns
        isSparse = mayBeSparse && (16 * stored <= 15 * bits.count || sparse.length < dense.length)
        count = isSparse ? stored : bits.count
        payload =
            isSparse
            ? Self.sparse(bits, columns: spec.columns, layout: sparse, valueType)
            : Self.bytes(bits, valueType)
    }

    /// The values' bit patterns, where every zero is 0.
    private static func bits(_ values: [Float], _ spec: TensorSpec, _ type: ValueType) throws(PackError) -> [UInt32] {
        switch type {
        case .float32:
            return values.map { $0 == 0 ? 0 : $0.bitPattern }
        case .float16:
            let halves = values.map { Float16($0) }
            if let bad = halves.firstIndex(where: { !$0.isFinite }) {
                throw PackError("\(spec.name): value \(bad) is \(values[bad]), too large for fp16")
            }
            return halves.map { $0 == 0 ? 0 : UInt32($0.bitPattern) }
        case .int8:
            throw PackError("\(spec.name): only prompts can be stored in 8 bits")
        }
    }

    /// Scales and offsets such that the least value of a group is -127 and the greatest 127, then the values.
    private static func quantized(_ values: [Float], groupSize: Int) -> [UInt8] {
        let groups = stride(from: 0, to: values.count, by: groupSize).map { values[$0..<$0 + groupSize] }
        // In fp64 no difference overflows.
        let steps = groups.map { group in
            let least = Double(group.min() ?? 0), greatest = Double(group.max() ?? 0)
            return (scale: Float((greatest - least) / 254), offset: Float((greatest + least) / 2))
        }
        var bytes: [UInt8] = []
        for (scale, offset) in steps {
            bytes.append(littleEndian: scale.bitPattern, size: 4)
            bytes.append(littleEndian: offset.bitPattern, size: 4)
        }
        bytes.appendZeros(upTo: Layout.aligned(bytes.count))
        for (group, step) in zip(groups, steps) {
            for value in group {
                let number = step.scale > 0 ? (Double(value) - Double(step.offset)) / Double(step.scale) : 0
                bytes.append(UInt8(bitPattern: Int8(max(-127, min(127, number.rounded())))))
            }
        }
        return bytes
    }

    private static func bytes(_ bits: [UInt32], _ type: ValueType) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(bits.count * type.size)
        for value in bits { bytes.append(littleEndian: value, size: type.size) }
        return bytes
    }

    private static func sparse(
        _ bits: [UInt32], columns: Int, layout: Layout.Payload, _ type: ValueType
    ) -> [UInt8] {
        let stored = bits.indices.filter { bits[$0] != 0 }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(layout.length)
        var count = 0
        for rowEnd in stride(from: 0, through: bits.count, by: columns) {
            while count < stored.count && stored[count] < rowEnd { count += 1 }
            bytes.append(littleEndian: UInt32(count), size: 4)
        }
        bytes.appendZeros(upTo: layout.columns)
        for index in stored { bytes.append(littleEndian: UInt32(index % columns), size: 2) }
        bytes.appendZeros(upTo: layout.values)
        for index in stored { bytes.append(littleEndian: bits[index], size: type.size) }
        return bytes
    }
}

extension [UInt8] {
    /// Appends the lower `size` bytes of `value`.
    mutating func append(littleEndian value: some FixedWidthInteger, size: Int) {
        for byte in 0..<size { append(UInt8(truncatingIfNeeded: value >> (8 * byte))) }
    }

    mutating func appendZeros(upTo end: Int) { append(contentsOf: repeatElement(0, count: end - count)) }

    /// Overwrites the bytes at `offset` with a number.
    package mutating func store<T: FixedWidthInteger>(_ value: T, at offset: Int) {
        Swift.withUnsafeBytes(of: value.littleEndian) { replaceSubrange(offset..<offset + $0.count, with: $0) }
    }

    package mutating func store(_ numbers: [Int], at offset: Int) {
        for (index, number) in numbers.enumerated() { store(UInt32(number), at: offset + 4 * index) }
    }
}
