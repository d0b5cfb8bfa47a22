/// What opening leaves unchecked, as no memory access depends on it.
extension WeightFile {
    /// Checks that all values are finite and that the columns of each sparse row ascend.
    public func verify() throws(WeightError) {
        for spec in tensors {
            guard let matrix = matrix(spec.name) else { continue }
            for row in 0..<matrix.rows { try verify(row, of: matrix, spec.name) }
        }
    }

    private func verify(_ row: Int, of matrix: Matrix, _ name: String) throws(WeightError) {
        let range = matrix.stored(inRow: row)
        for index in range {
            let value = matrix.value(index)
            try require(value.isFinite, "\(name): value \(index)", is: value, expected: "a finite number")
        }
        guard let columns = matrix.sparsity?.columns else { return }
        for index in range.dropFirst() {
            try require(
                columns[index - 1] < columns[index], "\(name): column \(columns[index]) in row \(row)",
                is: "behind column \(columns[index - 1])", expected: "ascending columns")
        }
    }
}
