import Glibc
import MirlKernels
import MirlWeights

/// MDTA, x += project_out(softmax(q k^T / (|q| |k|) temperature) v) with q, k, v = dw3x3(qkv(norm1(x))), where q, k and
/// v are channels x pixels (Restormer, section 3.1).
///
/// Two passes: the first sums the products of q and k over all pixels, the second makes v and applies them to it.
struct Attention: Layer {
    let scratch: Scratch
    let cost: Double

    private let weights: BlockWeights
    private let products: Sweep
    private let mixing: InPlaceSweep
    private let heads: [LivingHead]
    /// Where the rows of q and k, of v, and what project_out reads, lie among those that are computed; nil for others.
    private let productPlaces, valuePlaces, mixedPlaces: [Int?]
    private let sums, attention: Int  // shared
    private let projectProducts, projectValues: ProductPlace  // shared
    private let projectOut: StackProduct  // shared
    private let filterProducts, filterValues: RingProduct  // shared
    private let tile, ring, work, mixed, room, ahead: Int  // each thread's
    /// Floats of one band's sums.
    private let sumsSize: Int

    /// Whether pruning has left nothing that could change the features.
    var isDead: Bool { heads.allSatisfy { $0.v.isEmpty || $0.out.isEmpty } }

    private var channels: Int { weights.channels }
    private var perHead: Int { weights.channels / weights.heads }

    init(_ weights: BlockWeights, _ map: FeatureStack, threads: Int) {
        let strips = Strips(width: map.width), c = weights.channels
        heads = LivingHead.all(of: weights)
        let q = heads.flatMap(\.q), k = heads.flatMap(\.k), v = heads.flatMap(\.v), out = heads.flatMap(\.out)
        productPlaces = (q + k.map { c + $0 }).places(among: 2 * c)
        valuePlaces = v.places(among: c)
        mixedPlaces = out.places(among: c)
        products = Sweep(
            map: map, strips: strips, bands: Geometry.reducingBands(map.height), lineChannels: q.count + k.count)
        let plain = Sweep(
            map: map, strips: strips, bands: Geometry.bands(map.height, threads: threads), lineChannels: v.count)
        var scratch = Scratch(threads: threads)
        self.weights = weights
        mixing = InPlaceSweep(plain, in: &scratch)
        projectProducts = ProductPlace(weights.qkv, rows: 0..<2 * c, in: &scratch.shared)
        filterProducts = RingProduct(weights.qkvDepthwise, rows: 0..<2 * c, in: &scratch.shared)
        projectValues = ProductPlace(weights.qkv, rows: 2 * c..<3 * c, in: &scratch.shared)
        filterValues = RingProduct(weights.qkvDepthwise, rows: 2 * c..<3 * c, in: &scratch.shared)
        projectOut = StackProduct(weights.attentionOut, addingTo: map, in: &scratch.shared)
        let last = heads.last!
        sumsSize = last.sums + last.sumsSize
        sums = scratch.shared.take(products.bands.count * sumsSize)
        attention = scratch.shared.take(last.attention + last.out.count * last.v.count)
        tile = scratch.own.take(c * strips.stride)
        ring = scratch.own.take(max(products.ringSize, plain.ringSize))
        work = scratch.own.take(max(products.lineSize, plain.lineSize))
        mixed = scratch.own.take(out.count * strips.stride)
        room = scratch.own.take(Int(MIRLK_TILE) * heads.map { max($0.q.count + $0.k.count + 16, $0.v.count + 1) }.max()!)
        ahead = scratch.own.take(2 * (c + 1))  // bf16 pairs the last of an odd number with another
        self.scratch = scratch
        let perPixel = weights.qkv.count + weights.qkvDepthwise.count + weights.attentionOut.count
            + heads.reduce(0) { $0 + $1.q.count * $1.k.count + $1.out.count * $1.v.count }
        cost = Double(perPixel) * Double(map.height * map.width)
    }

    func run(_ run: Run) throws(MirlError) {
        let plain = mixing.sweep
        var projectQK = mirlk_product(), projectV = projectQK  // threads write variables of their own
        var filterQK: [mirlk_product] = [], filterV = filterQK, out = filterQK
        try run.parallel(5, cost: 0) { table, _ in
            switch table {
            case 0: filterQK = filter(run, products, filterProducts, places: productPlaces, firstRow: 0)
            case 1: projectQK = project(run, products, projectProducts, places: productPlaces, firstRow: 0)
            case 2: filterV = filter(run, plain, filterValues, places: valuePlaces, firstRow: 2 * channels)
            case 3: projectV = project(run, plain, projectValues, places: valuePlaces, firstRow: 2 * channels)
            default: out = projectOut.prepare(run, offset: { mixedPlaces[$0].map { $0 * plain.stride } })
            }
        }
        let made = Filtered(project: projectQK, filter: filterQK)
        let values = Filtered(project: projectV, filter: filterV)
        try run.parallel(products.bands.count, cost: cost / 2) { band, thread in
            sumProducts(run, made, scratch.own(thread, run), band)
        }
        try run.parallel(weights.heads, cost: 0) { head, _ in weigh(run, head) }
        mixing.saveBoundaries(of: run)
        try run.parallel(plain.bands.count, cost: cost / 2) { band, thread in
            mixValues(run, values, out, scratch.own(thread, run), band)
        }
    }

    /// The two convolutions that make q and k, or v.
    private struct Filtered {
        let project: mirlk_product
        let filter: [mirlk_product]  // one for each phase of the ring
    }

    private func project(
        _ run: Run, _ sweep: Sweep, _ product: ProductPlace, places: [Int?], firstRow: Int
    ) -> mirlk_product {
        product.prepare(
            run, keepingEmpty: false, out: { row in places[row - firstRow].map { $0 * sweep.stride } },
            offset: { $1 * sweep.stride })
    }

    private func filter(
        _ run: Run, _ sweep: Sweep, _ product: RingProduct, places: [Int?], firstRow: Int
    ) -> [mirlk_product] {
        func out(_ row: Int) -> Int? { places[row - firstRow].map { $0 * sweep.stride } }
        return product.prepare(
            run, sweep, out: out, offset: { row, tap in out(row).map { $0 + sweep.place(tap: tap) } })
    }

    private func sumProducts(_ run: Run, _ made: Filtered, _ own: UnsafeMutablePointer<Float>, _ band: Int) {
        let sums = run.scratch + sums + band * sumsSize, stride = products.stride
        sums.update(repeating: 0, count: sumsSize)
        let work = own + work, tile = own + tile, ahead = (own + ahead).addresses
        products.pass(
            run, band: products.bands[band], ring: own + ring,
            produce: { y, strip, line in
                products.normalize(
                    products.map, row: y, strip: strip, in: run.memory, to: tile, by: weights.norm1, list: ahead,
                    run.kernels)
                products.clearEdges(of: tile, strip: strip)
                made.project.apply(run, tile, into: line, width: products.computed(strip))
            },
            consume: { y, strip in
                made.filter[products.phase(y)].apply(run, own + ring, into: work, width: strip.count)
                products.listAhead(of: y, strip: strip, in: run.memory, to: ahead)
                var q = work, k = work + heads.reduce(0) { $0 + $1.q.count } * stride
                for (i, head) in heads.enumerated() {
                    let sums = sums + head.sums
                    run.kernels.gram(
                        q, UInt32(head.q.count), k, UInt32(head.k.count), stride, UInt32(strip.count), sums,
                        sums + head.qSquares, sums + head.kSquares, own + room, ahead + i * perHead)
                    q += head.q.count * stride
                    k += head.k.count * stride
                }
            })
    }

    /// Adds up the bands' sums, in one order, and turns a head's products into its attention matrix: rows that
    /// project_out reads, columns whose values are not all zero. The softmax knows all columns.
    private func weigh(_ run: Run, _ index: Int) {
        let head = heads[index], squareSize = Int(MIRLK_SQUARES)
        let sums = run.scratch + sums + head.sums, attention = run.scratch + attention + head.attention
        var totals = [Double](repeating: 0, count: max(perHead, squareSize))
        func addUp(_ first: Int, _ count: Int) {
            for i in 0..<count { totals[i] = 0 }
            for band in products.bands.indices {
                let ofBand = sums + band * sumsSize + first
                for i in 0..<count { totals[i] += Double(ofBand[i]) }
            }
        }
        func norm(_ squares: Int, _ row: Int) -> Double {
            addUp(squares + row * squareSize, squareSize)
            return max(1e-12, totals[0..<squareSize].reduce(0, +).squareRoot())
        }
        let first = index * perHead
        let kNorms = head.k.indices.map { norm(head.kSquares, $0) }
        let qRows = head.q.map { $0 - first }.places(among: perHead)
        var row = [Float](repeating: 0, count: perHead)
        for (i, channel) in head.out.enumerated() {
            for j in row.indices { row[j] = 0 }
            if let q = qRows[channel - first] {
                let scale = Double(weights.temperature[index]) / norm(head.qSquares, q)
                addUp(q * head.k.count, head.k.count)
                for (j, k) in head.k.enumerated() { row[k - first] = Float(totals[j] * scale / kNorms[j]) }
            }
            row.withUnsafeMutableBufferPointer { softmax($0.baseAddress!, count: perHead) }
            let kept = attention + i * head.v.count
            for (j, v) in head.v.enumerated() { kept[j] = row[v - first] }
        }
        run.kernels.prepare_mix(attention, UInt32(head.out.count), UInt32(head.v.count))
    }

    private func mixValues(
        _ run: Run, _ made: Filtered, _ out: [mirlk_product], _ own: UnsafeMutablePointer<Float>, _ band: Int
    ) {
        let plain = mixing.sweep, stride = plain.stride, work = own + work, mixed = own + mixed, tile = own + tile
        let ahead = (own + ahead).addresses
        plain.pass(
            run, band: plain.bands[band], ring: own + ring,
            produce: { y, strip, line in
                mixing.normalize(
                    y: y, strip: strip, band: band, run: run, own: own, to: tile, by: weights.norm1, list: ahead)
                made.project.apply(run, tile, into: line, width: plain.computed(strip))
            },
            consume: { y, strip in
                made.filter[plain.phase(y)].apply(run, own + ring, into: work, width: strip.count)
                plain.listAhead(of: y, strip: strip, in: run.memory, to: ahead)
                var values = work, mix = mixed
                for (i, head) in heads.enumerated() {
                    run.kernels.mix(
                        run.scratch + attention + head.attention, UInt32(head.out.count), UInt32(head.v.count),
                        values, stride, mix, stride, UInt32(strip.count), own + room, ahead + i * perHead)
                    values += head.v.count * stride
                    mix += head.out.count * stride
                }
                projectOut.apply(out, run, mixed, row: y, columns: strip)
            })
    }
}

/// What pruning has left of a head: the channels of q, k and v that are not zero everywhere, and those of the result
/// that project_out reads, none at all if nothing goes through the head; and where its sums and its attention matrix
/// lie among those of all heads, in floats.
private struct LivingHead {
    let q, k, v, out: [Int]
    let sums, attention: Int

    /// The sums hold the products of q's rows and k's, then the squares of both.
    var qSquares: Int { q.count * k.count }
    var kSquares: Int { qSquares + q.count * Int(MIRLK_SQUARES) }
    var sumsSize: Int { kSquares + k.count * Int(MIRLK_SQUARES) }

    static func all(of weights: BlockWeights) -> [LivingHead] {
        let c = weights.channels, perHead = c / weights.heads
        let isRead = weights.attentionOut.columnsRead()
        var heads: [LivingHead] = []
        for first in stride(from: 0, to: c, by: perHead) {
            func living(_ part: Int) -> [Int] {
                (first..<first + perHead).filter {
                    !weights.qkv.isEmpty(part * c + $0) && !weights.qkvDepthwise.isEmpty(part * c + $0)
                }.sorted(byTermsOf: weights.qkvDepthwise, from: part * c)
            }
            let v = living(2), out = (first..<first + perHead).filter { isRead[$0] }
            let isDead = v.isEmpty || out.isEmpty
            heads.append(
                LivingHead(
                    q: isDead ? [] : living(0), k: isDead ? [] : living(1), v: isDead ? [] : v, out: isDead ? [] : out,
                    sums: heads.last.map { $0.sums + $0.sumsSize } ?? 0,
                    attention: heads.last.map { $0.attention + $0.out.count * $0.v.count } ?? 0))
        }
        return heads
    }
}

extension [Int] {
    /// Channels in the order in which a product computes them, so that it reads and writes memory in order.
    func sorted(byTermsOf convolution: Matrix, from row: Int) -> [Int] {
        func key(_ c: Int) -> (Int, Int) { (convolution.stored(inRow: row + c).count, c) }
        return sorted { key($0) < key($1) }
    }

    /// For each of `count` numbers its index in this array, or nil.
    func places(among count: Int) -> [Int?] {
        var places = [Int?](repeating: nil, count: count)
        for (place, number) in enumerated() { places[number] = place }
        return places
    }
}

/// exp(x - max x) / sum exp(x - max x), in place.
func softmax(_ values: UnsafeMutablePointer<Float>, count: Int) {
    var largest = -Float.infinity, sum: Float = 0
    for i in 0..<count { largest = max(largest, values[i]) }
    for i in 0..<count {
        values[i] = expf(values[i] - largest)
        sum += values[i]
    }
    for i in 0..<count { values[i] /= sum }
}
