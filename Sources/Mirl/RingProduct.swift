import MirlKernels
import MirlWeights

/// A convolution with the lines of a sweep's ring: a product for each phase of the ring, which differ only in the lines
/// that their terms read.
struct RingProduct {
    private let place: ProductPlace
    private let rotated: [Int]  // shared, terms of phases 1 and 2

    init(_ convolution: Matrix, rows: Range<Int>? = nil, in shared: inout Scratch.Places) {
        place = ProductPlace(convolution, rows: rows, in: &shared)
        let count = place.termCount
        rotated = (1..<3).map { _ in shared.take(2 * count) }
    }

    /// As `ProductPlace.prepare`; `offset` is of phase 0.
    @inline(__always)
    func prepare(
        _ run: Run, _ sweep: Sweep, keepingEmpty: Bool = false, out: (_ row: Int) -> Int?,
        offset: (_ row: Int, _ column: Int) -> Int?
    ) -> [mirlk_product] {
        rotations(run, sweep, of: place.prepare(run, keepingEmpty: keepingEmpty, out: out, offset: offset))
    }

    /// As above, for these rows in this order.
    @inline(__always)
    func prepare(
        _ run: Run, _ sweep: Sweep, order: [Int], out: (_ row: Int) -> Int?,
        offset: (_ row: Int, _ column: Int) -> Int?
    ) -> [mirlk_product] {
        rotations(run, sweep, of: place.prepare(run, order: order, out: out, offset: offset))
    }

    /// From phase to phase each line moves to the next place in the ring.
    private func rotations(_ run: Run, _ sweep: Sweep, of first: mirlk_product) -> [mirlk_product] {
        let line = Int32(truncatingIfNeeded: sweep.lineSize), end = 3 * line
        let count = (0..<Int(first.group_count)).reduce(0) { $0 + Int(first.groups[$1].terms * first.groups[$1].rows) }
        var products = [first]
        for place in rotated {
            let terms = UnsafeMutableRawPointer(run.scratch + place).assumingMemoryBound(to: mirlk_term.self)
            let before = products.last!.terms!
            for i in 0..<count {
                let offset = before[i].offset &+ line
                terms[i] = mirlk_term(offset: offset < end ? offset : offset &- end, weight: before[i].weight)
            }
            var product = first
            product.terms = UnsafePointer(terms)
            products.append(product)
        }
        return products
    }
}
