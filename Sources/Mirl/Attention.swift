import Glibc
import MirlKernels

/// MDTA, x += project_out(softmax(q k^T / (|q| |k|) temperature) v) with q, k, v = dw3x3(qkv(norm1(x))), where q, k and
/// v are channels x pixels (Restormer, section 3.1).
///
/// Two passes: the first sums the products of q and k over all pixels, the second makes v and applies them to it.
struct Attention: Layer {
    let scratch: Int
    let cost: Double

    private let weights: BlockWeights
    private let products: Sweep
    private let mixing: InPlaceSweep
    private let sums, attention: Int  // shared
    private let projectProducts, projectValues: ProductPlace  // shared
    private let projectOut: StackProduct  // shared
    private let filterProducts, filterValues: [ProductPlace]  // shared, one for each phase of the ring
    private let tile, ring, work, mixed, transposed: Int  // each thread's
    private let own: Layout
    private let sharedSize: Int

    private var channels: Int { weights.channels }
    private var perHead: Int { weights.channels / weights.heads }
    /// Floats of one band's sums: the products of each head's channels, then the squares of q's and of k's.
    private var sumsSize: Int { channels * perHead + 2 * channels * Int(MIRLK_SQUARES) }

    init(_ weights: BlockWeights, _ map: FeatureStack, threads: Int) {
        let strips = Strips(width: map.width), c = weights.channels
        products = Sweep(
            map: map, strips: strips, bands: Geometry.reducingBands(map.height), lineChannels: 2 * c)
        let plain = Sweep(
            map: map, strips: strips, bands: Geometry.bands(map.height, threads: threads), lineChannels: c)
        var shared = Layout(), own = Layout()
        self.weights = weights
        mixing = InPlaceSweep(plain, shared: &shared, own: &own)
        projectProducts = ProductPlace(weights.qkv, rows: 0..<2 * c, in: &shared)
        filterProducts = (0..<3).map { _ in ProductPlace(weights.qkvDepthwise, rows: 0..<2 * c, in: &shared) }
        projectValues = ProductPlace(weights.qkv, rows: 2 * c..<3 * c, in: &shared)
        filterValues = (0..<3).map { _ in ProductPlace(weights.qkvDepthwise, rows: 2 * c..<3 * c, in: &shared) }
        projectOut = StackProduct(weights.attentionOut, addingTo: map, in: &shared)
        let perHead = c / weights.heads
        sums = shared.take(products.bands.count * (c * perHead + 2 * c * Int(MIRLK_SQUARES)))
        attention = shared.take(c * perHead)
        tile = own.take(c * strips.stride)
        ring = own.take(products.ringSize)
        work = own.take(2 * c * strips.stride)
        mixed = own.take(c * strips.stride)
        transposed = own.take(Int(MIRLK_TILE) * (perHead + 16))
        self.own = own
        sharedSize = shared.size
        scratch = shared.size + threads * own.size
        let perPixel = weights.qkv.count + weights.qkvDepthwise.count + weights.attentionOut.count + 2 * c * perHead
        cost = Double(perPixel) * Double(map.height * map.width)
    }

    func run(_ run: Run) throws(MirlError) {
        let shared = run.scratch, plain = mixing.sweep
        let made = filtered(run, products, projectProducts, filterProducts, firstRow: 0)
        try run.parallel(products.bands.count, cost: cost / 2) { band, thread in
            sumProducts(run, made, shared, shared + sharedSize + thread * own.size, band)
        }
        try run.parallel(weights.heads, cost: 0) { head, _ in weigh(head: head, shared) }
        let values = filtered(run, plain, projectValues, filterValues, firstRow: 2 * channels)
        let out = projectOut.prepare(run, offset: { $0 * plain.stride })
        mixing.saveBoundaries(of: run, shared: shared)
        try run.parallel(plain.bands.count, cost: cost / 2) { band, thread in
            mixValues(run, values, out, shared, shared + sharedSize + thread * own.size, band)
        }
    }

    /// The two convolutions that make q and k, or v; rows that pruning has emptied stay zero, and are not computed.
    private struct Filtered {
        let project: mirlk_product
        let filter: [mirlk_product]  // one for each phase of the ring
    }

    private func filtered(
        _ run: Run, _ sweep: Sweep, _ project: ProductPlace, _ filter: [ProductPlace], firstRow: Int
    ) -> Filtered {
        func place(_ row: Int) -> Int? {
            weights.qkv.isEmpty(row) || weights.qkvDepthwise.isEmpty(row) ? nil : (row - firstRow) * sweep.stride
        }
        return Filtered(
            project: project.prepare(run, keepingEmpty: false, out: place, offset: { $1 * sweep.stride }),
            filter: filter.enumerated().map { phase, filter in
                filter.prepare(run, keepingEmpty: false, out: place, offset: { row, tap in
                    (row - firstRow) * sweep.stride + sweep.place(tap: tap, phase: phase)
                })
            })
    }

    private func sumProducts(
        _ run: Run, _ made: Filtered, _ shared: UnsafeMutablePointer<Float>, _ own: UnsafeMutablePointer<Float>,
        _ band: Int
    ) {
        let sums = shared + sums + band * sumsSize, stride = products.stride
        sums.update(repeating: 0, count: sumsSize)
        let squares = sums + channels * perHead, work = own + work, tile = own + tile
        work.update(repeating: 0, count: 2 * channels * stride)
        products.pass(
            run, band: products.bands[band], ring: own + ring,
            produce: { y, strip, line in
                products.gather(products.map, row: y, strip: strip, in: run.memory, to: tile, run.kernels)
                normalize(run, tile, strip)
                made.project.apply(run, tile, into: line, width: stride)
                products.clearEdges(of: line, strip: strip)
            },
            consume: { y, strip in
                made.filter[products.phase(y)].apply(run, own + ring, into: work, width: stride)
                for head in 0..<weights.heads {
                    let first = head * perHead, squareSize = Int(MIRLK_SQUARES)
                    run.kernels.gram(
                        work + first * stride, work + (channels + first) * stride, stride, UInt32(perHead),
                        UInt32(strip.count), sums + first * perHead, squares + first * squareSize,
                        squares + (channels + first) * squareSize, own + transposed)
                }
            })
    }

    private func normalize(_ run: Run, _ tile: UnsafeMutablePointer<Float>, _ strip: Range<Int>) {
        run.kernels.normalize(
            tile, products.stride, UInt32(channels), UInt32(strip.count + 2), weights.norm1.weight, weights.norm1.bias)
    }

    /// Adds up the bands' sums, in one order, and turns a head's products into its attention matrix.
    private func weigh(head: Int, _ shared: UnsafeMutablePointer<Float>) {
        let squareSize = Int(MIRLK_SQUARES)
        func sum(_ place: Int, _ count: Int = 1) -> Double {
            var sum = 0.0
            for band in 0..<products.bands.count {
                let values = shared + sums + band * sumsSize + place
                for i in 0..<count { sum += Double(values[i]) }
            }
            return sum
        }
        func norm(_ channel: Int) -> Double {
            max(1e-12, sum(channels * perHead + channel * squareSize, squareSize).squareRoot())
        }
        let first = head * perHead
        let kNorms = (first..<first + perHead).map { norm(channels + $0) }
        for i in first..<first + perHead {
            let row = shared + attention + i * perHead
            let scale = Double(weights.temperature[head]) / norm(i)
            for j in 0..<perHead { row[j] = Float(sum(i * perHead + j) * scale / kNorms[j]) }
            softmax(row, count: perHead)
        }
    }

    private func mixValues(
        _ run: Run, _ made: Filtered, _ out: [mirlk_product], _ shared: UnsafeMutablePointer<Float>,
        _ own: UnsafeMutablePointer<Float>, _ band: Int
    ) {
        let plain = mixing.sweep, stride = plain.stride, work = own + work, mixed = own + mixed, tile = own + tile
        work.update(repeating: 0, count: channels * stride)
        plain.pass(
            run, band: plain.bands[band], ring: own + ring,
            produce: { y, strip, line in
                mixing.gather(y: y, strip: strip, band: band, run: run, shared: shared, own: own, to: tile)
                normalize(run, tile, strip)
                made.project.apply(run, tile, into: line, width: stride)
                plain.clearEdges(of: line, strip: strip)
            },
            consume: { y, strip in
                made.filter[plain.phase(y)].apply(run, own + ring, into: work, width: stride)
                for head in 0..<weights.heads {
                    let first = head * perHead
                    run.kernels.mix(
                        shared + attention + first * perHead, UInt32(perHead), work + first * stride, stride,
                        mixed + first * stride, stride, UInt32(stride))
                }
                projectOut.apply(out, run, mixed, row: y, columns: strip)
            })
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
