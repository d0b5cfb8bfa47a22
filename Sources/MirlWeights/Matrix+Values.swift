/// The values of a matrix as numbers, for tools and tests; the kernels read them as they are stored.
extension Matrix {
    /// Stored value number `index`.
    public func value(_ index: Int) -> Float {
        switch valueType {
        case .float32: values.loadUnaligned(fromByteOffset: index * 4, as: Float.self)
        case .float16: Float(values.loadUnaligned(fromByteOffset: index * 2, as: Float16.self))
        }
    }

    /// The stored values of a row, as a range for `value` and the sparsity's columns.
    public func stored(inRow row: Int) -> Range<Int> {
        guard let sparsity else { return row * columns..<(row + 1) * columns }
        return Int(sparsity.rowStarts[row])..<Int(sparsity.rowStarts[row + 1])
    }
}
