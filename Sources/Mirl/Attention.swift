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
    private let offsets, productTaps, mixTaps, sums, attention: Int  // shared
    private let tile, ring, work, mixed, transposed, decoded: Int  // each thread's
    private let own: Layout
    private let sharedSize: Int

    private var channels: Int { weights.channels }
    private var perHead: Int { weights.channels / weights.heads }
    /// Floats of one band's sums: the products of each head's channels, then the squares of q's and of k's.
    private var sumsSize: Int { channels * perHead + 2 * channels * Int(MIRLK_SQUARES) }

    init(_ weights: BlockWeights, _ map: FeatureMap, threads: Int) {
        let strips = Strips(width: map.width), c = weights.channels
        products = Sweep(
            map: map, strips: strips, bands: Geometry.reducingBands(map.height), lineChannels: 2 * c)
        let plain = Sweep(
            map: map, strips: strips, bands: Geometry.bands(map.height, threads: threads), lineChannels: c)
        var shared = Layout(), own = Layout()
        self.weights = weights
        mixing = InPlaceSweep(plain, shared: &shared, own: &own)
        offsets = shared.take(c)
        productTaps = shared.take(27)
        mixTaps = shared.take(27)
        let perHead = c / weights.heads
        sums = shared.take(products.bands.count * (c * perHead + 2 * c * Int(MIRLK_SQUARES)))
        attention = shared.take(c * perHead)
        tile = own.take(c * strips.stride)
        ring = own.take(products.ringSize)
        work = own.take(2 * c * strips.stride)
        mixed = own.take(c * strips.stride)
        transposed = own.take(Int(MIRLK_TILE) * (perHead + 16))
        decoded = own.take(max(c, 9))
        self.own = own
        sharedSize = shared.size
        scratch = shared.size + threads * own.size
        let perPixel = weights.qkv.count + weights.qkvDepthwise.count + weights.attentionOut.count + 2 * c * perHead
        cost = Double(perPixel) * Double(map.height * map.width)
    }

    func run(_ run: Run) throws(MirlError) {
        let shared = run.scratch, plain = mixing.sweep
        writeChannelOffsets(channels, stride: plain.stride, to: (shared + offsets).indices)
        products.writeTaps(channels: 1, to: (shared + productTaps).indices)
        plain.writeTaps(channels: 1, to: (shared + mixTaps).indices)
        try run.parallel(products.bands.count, cost: cost / 2) { band, thread in
            sumProducts(run, shared, shared + sharedSize + thread * own.size, band)
        }
        try run.parallel(weights.heads, cost: 0) { head, _ in weigh(head: head, shared) }
        mixing.saveBoundaries(of: run, shared: shared)
        try run.parallel(plain.bands.count, cost: cost / 2) { band, thread in
            mixValues(run, shared, shared + sharedSize + thread * own.size, band)
        }
    }

    private func sumProducts(
        _ run: Run, _ shared: UnsafeMutablePointer<Float>, _ own: UnsafeMutablePointer<Float>, _ band: Int
    ) {
        let sums = shared + sums + band * sumsSize, stride = products.stride
        sums.update(repeating: 0, count: sumsSize)
        let squares = sums + channels * perHead, work = own + work
        products.pass(
            band: products.bands[band], ring: own + ring,
            produce: { y, strip, line in
                products.gather(row: products.map.row(y, in: run.memory), strip: strip, to: own + tile, run.kernels)
                project(run, shared, own, rows: 0..<2 * channels, strip, line)
                products.clearEdges(of: line, strip: strip)
            },
            consume: { y, strip in
                filter(run, shared + productTaps, own, products, rows: 0..<2 * channels, y, strip, into: work)
                for head in 0..<weights.heads {
                    let first = head * perHead, squareSize = Int(MIRLK_SQUARES)
                    run.kernels.gram(
                        work + first * stride, work + (channels + first) * stride, stride, UInt32(perHead),
                        UInt32(strip.count), sums + first * perHead, squares + first * squareSize,
                        squares + (channels + first) * squareSize, own + transposed)
                }
            })
    }

    /// Norm and 1x1 convolution of the tile, some rows of it, into a line of the ring.
    private func project(
        _ run: Run, _ shared: UnsafeMutablePointer<Float>, _ own: UnsafeMutablePointer<Float>, rows: Range<Int>,
        _ strip: Range<Int>, _ line: UnsafeMutablePointer<Float>
    ) {
        let stride = products.stride
        run.kernels.normalize(
            own + tile, stride, UInt32(channels), UInt32(strip.count + 2), weights.norm1.weight, weights.norm1.bias)
        run.multiply(
            weights.qkv, rows: rows, own + tile, offsets: (shared + offsets).indices, into: line, stride: stride,
            width: stride, decoded: own + decoded)
    }

    /// The depthwise convolution of the ring's lines around row y.
    private func filter(
        _ run: Run, _ taps: UnsafeMutablePointer<Float>, _ own: UnsafeMutablePointer<Float>, _ sweep: Sweep,
        rows: Range<Int>, _ y: Int, _ strip: Range<Int>, into out: UnsafeMutablePointer<Float>
    ) {
        run.multiply(
            weights.qkvDepthwise, rows: rows, own + ring, offsets: taps.indices + sweep.phase(y) * 9,
            step: sweep.stride, into: out, stride: sweep.stride, width: strip.count, decoded: own + decoded)
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
        _ run: Run, _ shared: UnsafeMutablePointer<Float>, _ own: UnsafeMutablePointer<Float>, _ band: Int
    ) {
        let plain = mixing.sweep, stride = plain.stride, work = own + work, mixed = own + mixed
        plain.pass(
            band: plain.bands[band], ring: own + ring,
            produce: { y, strip, line in
                mixing.gather(y: y, strip: strip, band: band, run: run, shared: shared, own: own, to: own + tile)
                project(run, shared, own, rows: 2 * channels..<3 * channels, strip, line)
                plain.clearEdges(of: line, strip: strip)
            },
            consume: { y, strip in
                filter(run, shared + mixTaps, own, plain, rows: 2 * channels..<3 * channels, y, strip, into: work)
                for head in 0..<weights.heads {
                    let first = head * perHead
                    run.kernels.mix(
                        shared + attention + first * perHead, UInt32(perHead), work + first * stride, stride,
                        mixed + first * stride, stride, UInt32(strip.count))
                }
                run.multiply(
                    weights.attentionOut, mixed, offsets: (shared + offsets).indices,
                    into: plain.map.row(y, in: run.memory) + strip.lowerBound, stride: plain.map.channelStride,
                    width: strip.count, adding: true, decoded: own + decoded)
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
