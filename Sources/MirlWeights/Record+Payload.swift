/// Checks of a payload, after which the kernels may trust its indices.
extension Record {
    /// The tensor in the file's `bytes`.
    func matrix(in bytes: UnsafeRawBufferPointer) throws(WeightError) -> Matrix {
        let payload = bytes.slice(offset..<offset + layout.length)
        let computed = Checksum(payload).value
        try require(
            checksum == computed, "\(spec.name): payload checksum", is: hexadecimal(checksum),
            expected: hexadecimal(computed))
        let sparsity = isSparse ? try sparsity(in: payload) : nil
        // A network has no empty tensors, so a payload has an address.
        return Matrix(
            rows: spec.rows, columns: spec.columns, encoding: try encoding(in: payload),
            values: payload.baseAddress! + layout.values, sparsity: sparsity)
    }

    private func encoding(in payload: UnsafeRawBufferPointer) throws(WeightError) -> Matrix.Encoding {
        switch valueType {
        case .float32: .float32
        case .float16: .float16
        // Only a tensor with groups can have this type.
        case .int8: .int8(try quantization(in: payload, groupSize: spec.groupSize!))
        }
    }

    private func quantization(
        in payload: UnsafeRawBufferPointer, groupSize size: Int
    ) throws(WeightError) -> Matrix.Quantization {
        let steps = payload.slice(0..<count / size * 8)
        try require(
            payload.isZero(steps.count..<layout.values), "\(spec.name): padding", is: "not zero", expected: "zero")
        return Matrix.Quantization(groupSize: size, steps: steps.assumingMemoryBound(to: Float.self).baseAddress!)
    }

    private func sparsity(in payload: UnsafeRawBufferPointer) throws(WeightError) -> Matrix.Sparsity {
        let rowStartsEnd = (spec.rows + 1) * 4, columnsEnd = layout.columns + count * 2
        try require(
            payload.isZero(rowStartsEnd..<layout.columns) && payload.isZero(columnsEnd..<layout.values),
            "\(spec.name): padding", is: "not zero", expected: "zero")
        let rowStarts = payload.slice(0..<rowStartsEnd).assumingMemoryBound(to: UInt32.self)
        let columns = payload.slice(layout.columns..<columnsEnd).assumingMemoryBound(to: UInt16.self)
        try checkRowStarts(rowStarts)
        let largest = columns.reduce(0, max)
        try require(
            count == 0 || Int(largest) < spec.columns, "\(spec.name): column index", is: largest,
            expected: "below \(spec.columns)")
        return Matrix.Sparsity(rowStarts: rowStarts.baseAddress!, columns: columns.baseAddress!)
    }

    private func checkRowStarts(_ rowStarts: UnsafeBufferPointer<UInt32>) throws(WeightError) {
        try require(rowStarts[0] == 0, "\(spec.name): first row start", is: rowStarts[0], expected: 0)
        // A start that falls makes a length that wraps round to more than any number of columns.
        let longest = (0..<spec.rows).reduce(0) { max($0, rowStarts[$1 + 1] &- rowStarts[$1]) }
        try require(
            longest <= spec.columns, "\(spec.name): longest row", is: longest, expected: "0...\(spec.columns)")
        let last = rowStarts[spec.rows]
        try require(Int(last) == count, "\(spec.name): last row start", is: last, expected: count)
    }
}
