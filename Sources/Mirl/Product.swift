import MirlKernels
import MirlWeights

/// The place of a product's tables in a layer's shared scratch memory: a convolution, or some of its rows, made ready
/// for tiles of one layout just before the layer runs.
struct ProductPlace {
    private let convolution: Matrix
    private let rows: Range<Int>
    /// Where the parts of the columns end, which come one after another.
    private let ends: [Int]
    private let groups, outs, terms, decoded, columns: Int
    /// Stored values, of which `prepare` may use fewer.
    let termCount: Int

    init(_ convolution: Matrix, rows: Range<Int>? = nil, in shared: inout Scratch.Places) {
        self.convolution = convolution
        self.rows = rows ?? 0..<convolution.rows
        let count = convolution.stored(inRows: self.rows).count
        termCount = count
        ends = ColumnParts.ends(columns: convolution.columns, rows: self.rows.count, terms: count)
        groups = shared.take(3 * ends.count * self.rows.count)
        outs = shared.take(ends.count * self.rows.count)
        terms = shared.take(2 * count)
        decoded = shared.take(convolution.valueType == .float32 ? 0 : count)
        columns = shared.take((count + 1) / 2)  // of 16 bits
    }

    /// Writes the tables. `out` says where a row's sums go, nil if nowhere; `offset` where the input of a row's column
    /// lies, nil if it is known to be zero. In each part of the columns rows with fewest terms come first, and those
    /// without are left out; but where `keepingEmpty` the first part has all rows.
    @inline(__always)
    func prepare(
        _ run: Run, keepingEmpty: Bool, out: (_ row: Int) -> Int?, offset: (_ row: Int, _ column: Int) -> Int?
    ) -> mirlk_product {
        var table = table(run), isBegun = [Bool](repeating: false, count: rows.count)
        var begins = rows.map { convolution.stored(inRow: $0).lowerBound }
        for (part, end) in ends.enumerated() {
            let stored = rows.indices.map { row in
                let begin = begins[row - rows.lowerBound]
                var places = begin..<convolution.stored(inRow: row).upperBound
                if end < convolution.columns {
                    places = begin..<(places.first { table.column($0) >= end } ?? places.upperBound)
                }
                return places
            }
            let keepingEmpty = keepingEmpty && part == 0
            for i in rowsByCount(stored, table, keepingEmpty: keepingEmpty, out: out, offset: offset) {
                table.append(rows.lowerBound + i, stored[i], adding: isBegun[i], out: out, offset: offset)
                isBegun[i] = true
            }
            begins = stored.map(\.upperBound)
        }
        return table.product
    }

    /// As above, for these rows in this order, each in one part, as gates must be.
    @inline(__always)
    func prepare(
        _ run: Run, order: [Int], out: (_ row: Int) -> Int?, offset: (_ row: Int, _ column: Int) -> Int?
    ) -> mirlk_product {
        var table = table(run)
        for row in order {
            table.append(row, convolution.stored(inRow: row), adding: false, out: out, offset: offset)
        }
        return table.product
    }

    private func table(_ run: Run) -> ProductTable {
        ProductTable(
            groups: UnsafeMutableRawPointer(run.scratch + groups).assumingMemoryBound(to: mirlk_group.self),
            outs: (run.scratch + outs).indices,
            terms: UnsafeMutableRawPointer(run.scratch + terms).assumingMemoryBound(to: mirlk_term.self),
            values: values(run), columns: columns(run), firstValue: convolution.stored(inRows: rows).lowerBound)
    }

    private func values(_ run: Run) -> UnsafePointer<Float> {
        let stored = convolution.stored(inRows: rows)
        if case .float32 = convolution.encoding {
            return UnsafePointer(convolution.values.assumingMemoryBound(to: Float.self) + stored.lowerBound)
        }
        convolution.decode(stored, to: run.scratch + decoded, run.kernels)
        return UnsafePointer(run.scratch + decoded)
    }

    private func columns(_ run: Run) -> UnsafePointer<UInt16> {
        let columns = UnsafeMutableRawPointer(run.scratch + columns).assumingMemoryBound(to: UInt16.self)
        let stored = convolution.stored(inRows: rows)
        if let sparsity = convolution.sparsity, sparsity.cells == 1 {
            let source = sparsity.columns + stored.lowerBound
            for i in 0..<stored.count { columns[i] = UInt16(source[i]) }  // many at once, as compilers see
        } else {
            convolution.forEachStored(inRows: rows) { _, place, column in
                // Below Layout.maximumSparseColumns.
                columns[place - stored.lowerBound] = UInt16(truncatingIfNeeded: column)
            }
        }
        return UnsafePointer(columns)
    }

    /// The rows to compute, counted from the place's first, of which these values are stored; fewest terms first.
    @inline(__always)
    private func rowsByCount(
        _ stored: [Range<Int>], _ table: ProductTable, keepingEmpty: Bool, out: (_ row: Int) -> Int?,
        offset: (_ row: Int, _ column: Int) -> Int?
    ) -> [Int] {
        var byCount: [Int] = []  // how many rows have so many terms, then where they begin
        let counts = rows.map { row in
            var count = 0
            for j in stored[row - rows.lowerBound] where offset(row, table.column(j)) != nil { count += 1 }
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
            let i = row - rows.lowerBound
            guard counts[i] > 0 || keepingEmpty else { continue }
            order[byCount[counts[i]]] = i
            byCount[counts[i]] += 1
        }
        return order
    }
}

/// Products of many columns take them in parts, one after another, as a row can expect more of a part's channels in the
/// first-level cache than of all. (A 3x3 convolution has nine columns a channel, one for each neighbour.)
package enum ColumnParts {
    /// A part has at most so many columns, or as many more as it takes to have some terms a row, since to leave a row's
    /// sum and come back to it costs as much as a few terms. Both numbers are what measured best, see SPEED.md.
    private static let columns = 192, terms = 7

    /// Where each part ends, for so many terms in all rows.
    package static func ends(columns: Int, rows: Int, terms: Int) -> [Int] {
        let most = (columns + Self.columns - 1) / Self.columns
        let count = max(1, min(most, terms / max(rows, 1) / Self.terms))
        return (1...count).map { columns * $0 / count }
    }
}

/// A product's tables as they are written.
private struct ProductTable {
    let groups: UnsafeMutablePointer<mirlk_group>
    let outs: UnsafeMutablePointer<Int32>
    let terms: UnsafeMutablePointer<mirlk_term>
    /// The stored values from `firstValue` on, and their columns.
    let values: UnsafePointer<Float>
    let columns: UnsafePointer<UInt16>
    let firstValue: Int
    var groupCount = 0, rowCount = 0, termCount = 0

    var product: mirlk_product {
        mirlk_product(groups: groups, group_count: UInt32(groupCount), outs: outs, terms: terms)
    }

    /// The column of a stored value.
    func column(_ place: Int) -> Int { Int(columns[place - firstValue]) }

    /// Appends a row of the values stored in `places`, or, `adding`, more of them to a row's sum.
    @inline(__always)
    mutating func append(
        _ row: Int, _ places: Range<Int>, adding: Bool, out: (_ row: Int) -> Int?,
        offset: (_ row: Int, _ column: Int) -> Int?
    ) {
        outs[rowCount] = Int32(truncatingIfNeeded: out(row)!)
        rowCount += 1
        var count: UInt32 = 0
        for j in places {
            guard let place = offset(row, column(j)) else { continue }
            terms[termCount] = mirlk_term(offset: Int32(truncatingIfNeeded: place), weight: values[j - firstValue])
            termCount += 1
            count += 1
        }
        let adds: UInt32 = adding ? 1 : 0
        if groupCount > 0, groups[groupCount - 1].terms == count, groups[groupCount - 1].adds == adds {
            groups[groupCount - 1].rows += 1
        } else {
            groups[groupCount] = mirlk_group(terms: count, rows: 1, adds: adds)
            groupCount += 1
        }
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
