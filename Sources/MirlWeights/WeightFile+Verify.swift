/// What opening leaves unchecked, as no memory access depends on it.
extension WeightFile {
    /// Checks that all values, scales and offsets are finite and that the columns of each sparse row ascend.
    public func verify() throws(WeightError) {
        for spec in tensors {
            guard let matrix = matrix(spec.name) else { continue }
            if case .int8(let quantization) = matrix.encoding {
                for index in 0..<2 * quantization.groups {
                    let step = quantization.steps[index]
                    try require(
                        step.isFinite, "\(spec.name): scale or offset \(index)", is: step, expected: "a finite number")
                }
            }
            for index in matrix.stored(inRows: 0..<matrix.rows) {
                let value = matrix.value(index)
                try require(value.isFinite, "\(spec.name): value \(index)", is: value, expected: "a finite number")
            }
            if matrix.sparsity == nil { continue }
            var last: (row: Int, column: Int)?, falling: (row: Int, column: Int, last: Int)?
            matrix.forEachStored(inRows: 0..<matrix.rows) { row, _, column in
                if let last, last.row == row, last.column >= column, falling == nil {
                    falling = (row, column, last.column)
                }
                last = (row, column)
            }
            guard let falling else { continue }
            throw .invalid(
                field: "\(spec.name): column \(falling.column) in row \(falling.row)",
                declared: "behind column \(falling.last)", expected: "ascending columns")
        }
    }
}
