/// The values of a matrix as numbers, for tools and tests; the kernels read them as they are stored.
extension Matrix {
    /// Stored value number `index`.
    public func value(_ index: Int) -> Float {
        switch encoding {
        case .float32: values.loadUnaligned(fromByteOffset: index * 4, as: Float.self)
        case .float16: Float(values.loadUnaligned(fromByteOffset: index * 2, as: Float16.self))
        case .int8(let quantization): quantization.value(values, index)
        }
    }

    /// The stored values of a row, as a range for `value` and the sparsity's columns.
    public func stored(inRow row: Int) -> Range<Int> {
        guard let sparsity else { return row * columns..<(row + 1) * columns }
        return Int(sparsity.rowStarts[row])..<Int(sparsity.rowStarts[row + 1])
    }
}

extension Matrix.Quantization {
    /// Writes to `out` the numbers that a part of the 8-bit `values` stands for.
    public func decode(_ values: UnsafeRawPointer, _ part: Range<Int>, to out: UnsafeMutablePointer<Float>) {
        let values = values.assumingMemoryBound(to: Int8.self)
        var begin = part.lowerBound
        while begin < part.upperBound {
            let group = begin / groupSize, end = min((group + 1) * groupSize, part.upperBound)
            let (scale, offset) = step(group)
            let source = values + begin, target = out + (begin - part.lowerBound)
            for i in 0..<end - begin { target[i] = offset + scale * Float(source[i]) }
            begin = end
        }
    }

    fileprivate func value(_ values: UnsafeRawPointer, _ index: Int) -> Float {
        let (scale, offset) = step(index / groupSize)
        return offset + scale * Float(values.assumingMemoryBound(to: Int8.self)[index])
    }

    private func step(_ group: Int) -> (scale: Float, offset: Float) { (steps[2 * group], steps[2 * group + 1]) }
}
