import MirlKernels

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
        case .int8: .int8(try quantization(in: payload))
        }
    }

    private func quantization(in payload: UnsafeRawBufferPointer) throws(WeightError) -> Matrix.Quantization {
        let steps = payload.slice(layout.steps..<layout.steps + groups * 8)
        try require(
            payload.isZero(layout.steps + steps.count..<layout.values), "\(spec.name): padding", is: "not zero",
            expected: "zero")
        let numbers = steps.assumingMemoryBound(to: Float.self).baseAddress!
        // Its bits, as a number is also equal to 0 if it is subnormal and the processor flushes such.
        try require(
            spec.groupSize != nil || numbers[1].bitPattern == 0, "\(spec.name): offset", is: numbers[1], expected: "0")
        return Matrix.Quantization(groups: groups, groupSize: spec.groupSize ?? max(count, 1), steps: numbers)
    }

    private func sparsity(in payload: UnsafeRawBufferPointer) throws(WeightError) -> Matrix.Sparsity {
        let (cells, width) = Layout.cells(columns: spec.columns)
        let startsEnd = (spec.rows * cells + 1) * 4, columnsEnd = layout.columns + count
        try require(
            payload.isZero(startsEnd..<layout.columns) && payload.isZero(columnsEnd..<layout.steps),
            "\(spec.name): padding", is: "not zero", expected: "zero")
        let starts = payload.slice(0..<startsEnd).assumingMemoryBound(to: UInt32.self)
        let columns = payload.slice(layout.columns..<columnsEnd).assumingMemoryBound(to: UInt8.self)
        let sparsity = Matrix.Sparsity(
            cells: cells, width: width, starts: starts.baseAddress!, columns: columns.baseAddress!)
        try checkStarts(starts, width)
        try check(columns.reduce(0, max), in: "a cell", of: width)
        let rest = spec.columns - (cells - 1) * width
        if rest < width {
            // The starts are before the columns.
            let largest = mirlk_largest_in_last_cells(columns.baseAddress!, starts.baseAddress!, spec.rows, cells)
            try check(largest, in: "a row's last cell", of: rest)
        }
        return sparsity
    }

    private func checkStarts(_ starts: UnsafeBufferPointer<UInt32>, _ width: Int) throws(WeightError) {
        try require(starts[0] == 0, "\(spec.name): first cell's start", is: starts[0], expected: 0)
        // A start that falls makes a length that wraps round to more than any number of columns.
        let longest = (1..<starts.count).reduce(0) { max($0, starts[$1] &- starts[$1 - 1]) }
        if longest > width {
            let bad = (1..<starts.count).first { starts[$0] &- starts[$0 - 1] > width }!
            try require(
                false, "\(spec.name): cell \(bad - 1) begins at \(starts[bad - 1]); its end", is: starts[bad],
                expected: "at most \(width) behind that")
        }
        let last = starts[starts.count - 1]
        try require(Int(last) == count, "\(spec.name): last cell's end", is: last, expected: count)
    }

    private func check(_ largest: UInt8, in cell: String, of width: Int) throws(WeightError) {
        try require(
            Int(largest) < width || count == 0, "\(spec.name): column in \(cell)", is: largest,
            expected: "below \(width)")
    }
}
