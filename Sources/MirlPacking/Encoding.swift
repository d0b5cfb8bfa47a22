import MirlWeights

/// A tensor encoded as the payload of a weight file: sparse where that spares the engine a sixteenth of the
/// multiply-adds or more, though it be larger; otherwise dense.
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
        let steps = valueType == .int8 ? Self.steps(values, groupSize: spec.groupSize) : []
        let bits = try Self.bits(values, spec, valueType, steps)
        let stored = bits.reduce(0) { $0 + ($1 == 0 ? 0 : 1) }
        isSparse = spec.kind.isSparse && 16 * stored <= 15 * bits.count
        count = isSparse ? stored : bits.count
        let cells = isSparse ? spec.rows * Layout.cells(columns: spec.columns).count : nil
        let layout = Layout.Payload(cells: cells, valueType: valueType, count: count, groups: steps.count)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(layout.length)
        if isSparse { Self.appendPlaces(of: bits, columns: spec.columns, layout: layout, to: &bytes) }
        for (scale, offset) in steps {
            bytes.append(littleEndian: scale.bitPattern, size: 4)
            bytes.append(littleEndian: offset.bitPattern, size: 4)
        }
        bytes.appendZeros(upTo: layout.values)
        for value in bits where value != 0 || !isSparse { bytes.append(littleEndian: value, size: valueType.size) }
        payload = bytes
    }

    /// What the values of a group, or where there are none all, share in 8 bits, so that they fit in -127...127.
    private typealias Step = (scale: Float, offset: Float)

    private static func steps(_ values: [Float], groupSize: Int?) -> [Step] {
        guard let groupSize else {
            let greatest = values.reduce(0) { max($0, abs($1)) }
            return [(scale: greatest / 127, offset: 0)]
        }
        return stride(from: 0, to: values.count, by: groupSize).map { step(of: values[$0..<$0 + groupSize]) }
    }

    /// Zeros stay zeros: the offset is a multiple of the scale then, which has 16 significant bits, so that no product
    /// with 8 bits is rounded.
    private static func step(of group: ArraySlice<Float>) -> Step {
        // In fp64 no difference overflows.
        let least = Double(group.min() ?? 0), greatest = Double(group.max() ?? 0), middle = (least + greatest) / 2
        let scale = Float((greatest - least) / 254)
        guard group.contains(0), scale > 0 else { return (scale: scale, offset: Float(middle)) }
        let coarse = Float(bitPattern: (scale.bitPattern + 0xFF) & ~0xFF)
        return (scale: coarse, offset: coarse * Float((middle / Double(coarse)).rounded()))
    }

    /// The values' bit patterns; where there are no offsets, every zero is 0.
    private static func bits(
        _ values: [Float], _ spec: TensorSpec, _ type: ValueType, _ steps: [Step]
    ) throws(PackError) -> [UInt32] {
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
            let groupSize = spec.groupSize ?? values.count
            var bits: [UInt32] = []
            bits.reserveCapacity(values.count)
            for (index, value) in values.enumerated() {
                let (scale, offset) = steps[index / groupSize]
                let number = scale > 0 ? (Double(value) - Double(offset)) / Double(scale) : 0
                let stored = Int8(max(-127, min(127, number.rounded())))
                guard (offset + scale * Float(stored)).isFinite else {
                    throw PackError("\(spec.name): value \(index) is \(value), too large for int8")
                }
                bits.append(UInt32(UInt8(bitPattern: stored)))
            }
            return bits
        }
    }

    /// Appends where cells start, and the columns of the bits that are not zero.
    private static func appendPlaces(
        of bits: [UInt32], columns: Int, layout: Layout.Payload, to bytes: inout [UInt8]
    ) {
        var count: UInt32 = 0, places: [UInt8] = []
        let width = Layout.cells(columns: columns).width
        bytes.append(littleEndian: count, size: 4)
        for row in stride(from: 0, to: bits.count, by: columns) {
            for cell in stride(from: 0, to: columns, by: width) {
                for column in cell..<min(cell + width, columns) where bits[row + column] != 0 {
                    count += 1
                    places.append(UInt8(column - cell))
                }
                bytes.append(littleEndian: count, size: 4)
            }
        }
        bytes.appendZeros(upTo: layout.columns)
        bytes += places
        bytes.appendZeros(upTo: layout.steps)
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
