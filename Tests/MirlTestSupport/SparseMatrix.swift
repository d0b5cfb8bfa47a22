import MirlKernels

/// A matrix as the kernels read it: the terms of each row, neighbours with equal numbers of them in one group.
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
        groups = rows.reduce(into: []) { groups, row in
            if groups.last?.terms == UInt32(row.count) {
                groups[groups.count - 1].rows += 1
            } else {
                groups.append(mirlk_group(terms: UInt32(row.count), rows: 1))
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
