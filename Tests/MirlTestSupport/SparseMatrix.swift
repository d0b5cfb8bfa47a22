import MirlKernels

/// A matrix as the kernels read it: the terms of each row, neighbours with equal numbers of them in one group. What is
/// given for an output that came before is added to it.
package struct SparseMatrix {
    private let groups: [mirlk_group]
    private let outs: [Int32]
    private let terms: [mirlk_term]

    /// How many values are not zero.
    package var count: Int { terms.count }

    /// `outs` says where each row's sums go.
    package init(_ rows: [[mirlk_term]], outs: [Int32]) {
        self.outs = outs
        terms = rows.flatMap { $0 }
        var begun = Set<Int32>()
        groups = zip(rows, outs).reduce(into: []) { groups, row in
            let adds: UInt32 = begun.insert(row.1).inserted ? 0 : 1, terms = UInt32(row.0.count)
            if let last = groups.last, last.terms == terms, last.adds == adds {
                groups[groups.count - 1].rows += 1
            } else {
                groups.append(mirlk_group(terms: terms, rows: 1, adds: adds))
            }
        }
    }

    package func withProduct<Result>(_ body: (UnsafePointer<mirlk_product>) -> Result) -> Result {
        groups.withUnsafeBufferPointer { groups in
            outs.withUnsafeBufferPointer { outs in
                terms.withUnsafeBufferPointer { terms in
                    var product = mirlk_product(
                        groups: groups.baseAddress, group_count: UInt32(groups.count), outs: outs.baseAddress,
                        terms: terms.baseAddress)
                    return body(&product)
                }
            }
        }
    }
}
