import MirlKernels

/// The place of a product's tables in a layer's shared scratch memory: a convolution, or some of its rows, made ready
/// for tiles of one layout just before the layer runs.
struct ProductPlace {
    private let convolution: Convolution
    private let rows: Range<Int>
    private let groups, outs, terms, decoded: Int
    /// Stored values, of which `prepare` may use fewer.
    let termCount: Int

    init(_ convolution: Convolution, rows: Range<Int>? = nil, in shared: inout Layout) {
        self.convolution = convolution
        self.rows = rows ?? 0..<convolution.rows
        let count = convolution.terms(self.rows).count
        termCount = count
        groups = shared.take(2 * self.rows.count)
        outs = shared.take(self.rows.count)
        terms = shared.take(2 * count)
        decoded = shared.take(convolution.matrix.valueType == .float16 ? count : 0)
    }

    /// Writes the tables. `out` says where a row's sums go, nil if nowhere; `offset` where the input of a row's column
    /// lies, nil if it is known to be zero. Rows with fewest terms come first, and those without are left out unless
    /// `keepingEmpty`.
    @inline(__always)
    func prepare(
        _ run: Run, keepingEmpty: Bool, out: (_ row: Int) -> Int?, offset: (_ row: Int, _ column: Int) -> Int?
    ) -> mirlk_product {
        prepare(run, order: rowsByCount(keepingEmpty: keepingEmpty, out: out, offset: offset), out: out, offset: offset)
    }

    /// As above, for these rows in this order.
    @inline(__always)
    func prepare(
        _ run: Run, order: [Int], out: (_ row: Int) -> Int?, offset: (_ row: Int, _ column: Int) -> Int?
    ) -> mirlk_product {
        let values = self.values(run)
        let groups = UnsafeMutableRawPointer(run.scratch + groups).assumingMemoryBound(to: mirlk_group.self)
        let terms = UnsafeMutableRawPointer(run.scratch + terms).assumingMemoryBound(to: mirlk_term.self)
        let outs = (run.scratch + outs).indices
        let first = convolution.terms(rows).lowerBound
        var groupCount = 0, term = terms
        for (i, row) in order.enumerated() {
            outs[i] = Int32(truncatingIfNeeded: out(row)!)
            let firstTerm = term
            for j in convolution.terms(row) {
                guard let place = offset(row, convolution.column(j)) else { continue }
                term.pointee = mirlk_term(offset: Int32(truncatingIfNeeded: place), weight: values[j - first])
                term += 1
            }
            let count = UInt32(term - firstTerm)
            if groupCount > 0, groups[groupCount - 1].terms == count {
                groups[groupCount - 1].rows += 1
            } else {
                groups[groupCount] = mirlk_group(terms: count, rows: 1)
                groupCount += 1
            }
        }
        return mirlk_product(groups: groups, group_count: UInt32(groupCount), outs: outs, terms: terms)
    }

    private func values(_ run: Run) -> UnsafePointer<Float> {
        let stored = convolution.terms(rows), values = convolution.matrix.values
        guard convolution.matrix.valueType == .float16 else {
            return UnsafePointer(values.assumingMemoryBound(to: Float.self) + stored.lowerBound)
        }
        run.kernels.decode_half(values + 2 * stored.lowerBound, run.scratch + decoded, stored.count)
        return UnsafePointer(run.scratch + decoded)
    }

    /// The rows to compute, fewest terms first.
    @inline(__always)
    private func rowsByCount(
        keepingEmpty: Bool, out: (_ row: Int) -> Int?, offset: (_ row: Int, _ column: Int) -> Int?
    ) -> [Int] {
        var byCount: [Int] = []  // how many rows have so many terms, then where they begin
        let counts = rows.map { row in
            var count = 0
            for j in convolution.terms(row) where offset(row, convolution.column(j)) != nil { count += 1 }
            if count >= byCount.count { byCount.append(contentsOf: repeatElement(0, count: count + 1 - byCount.count)) }
            if out(row) != nil, count > 0 || keepingEmpty { byCount[count] += 1 }
            return count
        }
        var begin = 0
        for count in byCount.indices {
            (byCount[count], begin) = (begin, begin + byCount[count])
        }
        var order = [Int](repeating: 0, count: begin)
        for row in rows where out(row) != nil {
            let count = counts[row - rows.lowerBound]
            guard count > 0 || keepingEmpty else { continue }
            order[byCount[count]] = row
            byCount[count] += 1
        }
        return order
    }
}

extension Convolution {
    /// The places of a row's stored values.
    @inline(__always)
    func terms(_ row: Int) -> Range<Int> { terms(row..<row + 1) }

    @inline(__always)
    func terms(_ rows: Range<Int>) -> Range<Int> {
        guard let starts = matrix.sparsity?.rowStarts else {
            return rows.lowerBound * columns..<rows.upperBound * columns
        }
        return Int(starts[rows.lowerBound])..<Int(starts[rows.upperBound])
    }

    /// The column of a stored value.
    @inline(__always)
    func column(_ place: Int) -> Int {
        if let sparsity = matrix.sparsity { Int(sparsity.columns[place]) } else { place % columns }
    }

    /// Whether a row has any value but zero.
    func isEmpty(_ row: Int) -> Bool { terms(row).isEmpty }

    /// For each column whether any row has a value there.
    func columnsRead() -> [Bool] {
        var isRead = [Bool](repeating: false, count: columns)
        for place in terms(0..<rows) { isRead[column(place)] = true }
        return isRead
    }
}

extension mirlk_product {
    /// Sums into `out`, or adds to it; see `mirlk_kernels.multiply`.
    func apply(
        _ run: Run, _ input: UnsafePointer<Float>, into out: UnsafeMutablePointer<Float>, width: Int,
        adding: Bool = false
    ) {
        withUnsafePointer(to: self) { run.kernels.multiply($0, input, out, UInt32(width), adding ? 1 : 0) }
    }

    /// Sums gates, and what they let through with another product's sums; see `mirlk_kernels.multiply_gated`.
    func applyGated(
        by values: mirlk_product, _ run: Run, _ input: UnsafePointer<Float>, into out: UnsafeMutablePointer<Float>,
        width: Int, _ ahead: UnsafePointer<UnsafePointer<Float>?>
    ) {
        withUnsafePointer(to: self) { gates in
            withUnsafePointer(to: values) { run.kernels.multiply_gated(gates, $0, input, out, UInt32(width), ahead) }
        }
    }
}
