/// Where the values of a matrix are, and what they are as numbers.
extension Matrix {
    /// Stored value number `index`.
    public func value(_ index: Int) -> Float {
        switch encoding {
        case .float32: return values.loadUnaligned(fromByteOffset: index * 4, as: Float.self)
        case .float16: return Float(values.loadUnaligned(fromByteOffset: index * 2, as: Float16.self))
        case .int8(let quantization):
            var value: Float = 0
            quantization.decode(values, index..<index + 1, to: &value)
            return value
        }
    }

    /// The places of a row's stored values.
    @inlinable
    public func stored(inRow row: Int) -> Range<Int> { stored(inRows: row..<row + 1) }

    @inlinable
    public func stored(inRows rows: Range<Int>) -> Range<Int> {
        guard let sparsity else { return rows.lowerBound * columns..<rows.upperBound * columns }
        let starts = sparsity.starts, cells = sparsity.cells
        return Int(starts[rows.lowerBound * cells])..<Int(starts[rows.upperBound * cells])
    }

    /// Calls `body` with the place and the column of each stored value of some rows, in row order.
    @inlinable
    public func forEachStored(inRows rows: Range<Int>, _ body: (_ row: Int, _ place: Int, _ column: Int) -> Void) {
        guard let sparsity else {
            for row in rows {
                for column in 0..<columns { body(row, row * columns + column, column) }
            }
            return
        }
        let starts = sparsity.starts, cells = sparsity.cells, width = sparsity.width
        for row in rows {
            for cell in 0..<cells {
                let begin = starts[row * cells + cell], end = starts[row * cells + cell + 1]
                for place in Int(begin)..<Int(end) { body(row, place, cell * width + Int(sparsity.columns[place])) }
            }
        }
    }

    /// Whether no value of a row is stored.
    @inlinable
    public func isEmpty(_ row: Int) -> Bool { stored(inRow: row).isEmpty }

    /// For each column whether any row has a value there.
    public func columnsRead() -> [Bool] {
        var isRead = [Bool](repeating: false, count: columns)
        forEachStored(inRows: 0..<rows) { _, _, column in isRead[column] = true }
        return isRead
    }
}

extension Matrix.Quantization {
    /// Writes to `out` the numbers that a part of the 8-bit `values` stands for.
    public func decode(_ values: UnsafeRawPointer, _ part: Range<Int>, to out: UnsafeMutablePointer<Float>) {
        let values = values.assumingMemoryBound(to: Int8.self)
        var begin = part.lowerBound
        while begin < part.upperBound {
            let group = begin / groupSize, end = min((group + 1) * groupSize, part.upperBound)
            let scale = steps[2 * group], offset = steps[2 * group + 1]
            let source = values + begin, target = out + (begin - part.lowerBound)
            for i in 0..<end - begin { target[i] = offset + scale * Float(source[i]) }
            begin = end
        }
    }
}
