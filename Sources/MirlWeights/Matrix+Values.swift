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
        guard let starts = sparsity?.rowStarts else { return rows.lowerBound * columns..<rows.upperBound * columns }
        return Int(starts[rows.lowerBound])..<Int(starts[rows.upperBound])
    }

    /// The column of a stored value.
    @inlinable
    public func column(_ place: Int) -> Int {
        if let sparsity { Int(sparsity.columns[place]) } else { place % columns }
    }

    /// Where those stored values of a row end, from `begin` on, that belong to columns before `limit`: they lie in the
    /// order of their columns.
    @inlinable
    public func end(ofStoredFrom begin: Int, inRow row: Int, beforeColumn limit: Int) -> Int {
        let all = stored(inRow: row).upperBound
        if limit == columns { return all }
        var end = begin
        while end < all, column(end) < limit { end += 1 }
        return end
    }

    /// Whether no value of a row is stored.
    @inlinable
    public func isEmpty(_ row: Int) -> Bool { stored(inRow: row).isEmpty }

    /// For each column whether any row has a value there.
    public func columnsRead() -> [Bool] {
        var isRead = [Bool](repeating: false, count: columns)
        for place in stored(inRows: 0..<rows) { isRead[column(place)] = true }
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
