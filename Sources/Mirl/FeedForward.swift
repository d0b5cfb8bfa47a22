import MirlKernels

/// GDFN, x += project_out(gelu(a) * b) with a, b = dw3x3(project_in(norm2(x))) (Restormer, section 3.2).
struct FeedForward: Layer {
    let scratch: Int
    let cost: Double

    private let weights: BlockWeights
    private let sweep: InPlaceSweep
    private let inOffsets, taps, outOffsets: Int  // shared
    private let tile, ring, hidden, decoded: Int  // each thread's
    private let own: Layout
    private let sharedSize: Int

    init(_ weights: BlockWeights, _ map: FeatureMap, threads: Int) {
        let hiddenChannels = 2 * weights.hidden
        let plain = Sweep(
            map: map, strips: Strips(width: map.width), bands: Geometry.bands(map.height, threads: threads),
            lineChannels: hiddenChannels)
        var shared = Layout(), own = Layout()
        self.weights = weights
        sweep = InPlaceSweep(plain, shared: &shared, own: &own)
        inOffsets = shared.take(map.channels)
        taps = shared.take(27)
        outOffsets = shared.take(weights.hidden)
        tile = own.take(map.channels * plain.stride)
        ring = own.take(plain.ringSize)
        hidden = own.take(hiddenChannels * plain.stride)
        decoded = own.take(max(map.channels, weights.hidden, 9))
        self.own = own
        sharedSize = shared.size
        scratch = shared.size + threads * own.size
        let perPixel = weights.projectIn.count + weights.depthwise.count + weights.projectOut.count
        cost = Double(perPixel) * Double(map.height * map.width)
    }

    func run(_ run: Run) throws(MirlError) {
        let shared = run.scratch, plain = sweep.sweep
        writeChannelOffsets(weights.channels, stride: plain.stride, to: (shared + inOffsets).indices)
        writeChannelOffsets(weights.hidden, stride: plain.stride, to: (shared + outOffsets).indices)
        plain.writeTaps(channels: 1, to: (shared + taps).indices)
        sweep.saveBoundaries(of: run, shared: shared)
        try run.parallel(plain.bands.count, cost: cost) { band, thread in
            let own = shared + sharedSize + thread * self.own.size
            plain.pass(
                band: plain.bands[band], ring: own + ring,
                produce: { y, strip, line in
                    sweep.gather(y: y, strip: strip, band: band, run: run, shared: shared, own: own, to: own + tile)
                    expand(run, shared, own, strip, line)
                },
                consume: { y, strip in contract(run, shared, own, y, strip) })
        }
    }

    private func expand(
        _ run: Run, _ shared: UnsafeMutablePointer<Float>, _ own: UnsafeMutablePointer<Float>, _ strip: Range<Int>,
        _ line: UnsafeMutablePointer<Float>
    ) {
        let stride = sweep.sweep.stride
        run.kernels.normalize(
            own + tile, stride, UInt32(weights.channels), UInt32(strip.count + 2), weights.norm2.weight,
            weights.norm2.bias)
        run.multiply(
            weights.projectIn, own + tile, offsets: (shared + inOffsets).indices, into: line, stride: stride,
            width: stride, decoded: own + decoded)
        sweep.sweep.clearEdges(of: line, strip: strip)
    }

    private func contract(
        _ run: Run, _ shared: UnsafeMutablePointer<Float>, _ own: UnsafeMutablePointer<Float>, _ y: Int,
        _ strip: Range<Int>
    ) {
        let plain = sweep.sweep, hidden = own + hidden
        run.multiply(
            weights.depthwise, own + ring, offsets: (shared + taps).indices + plain.phase(y) * 9, step: plain.stride,
            into: hidden, stride: plain.stride, width: strip.count, decoded: own + decoded)
        run.kernels.gelu_gate(
            hidden, hidden + weights.hidden * plain.stride, plain.stride, UInt32(weights.hidden), UInt32(strip.count))
        run.multiply(
            weights.projectOut, hidden, offsets: (shared + outOffsets).indices,
            into: plain.map.row(y, in: run.memory) + strip.lowerBound, stride: plain.map.channelStride,
            width: strip.count, adding: true, decoded: own + decoded)
    }
}
