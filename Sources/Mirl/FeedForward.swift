import MirlKernels

/// GDFN, x += project_out(gelu(a) * b) with a, b = dw3x3(project_in(norm2(x))) (Restormer, section 3.2).
///
/// Hidden channels that pruning has cut off, on either side of the gate, before or after it, are not computed.
struct FeedForward: Layer {
    let scratch: Int
    let cost: Double

    /// Whether pruning has left nothing that could change the features.
    var isDead: Bool { alive == 0 }

    private let weights: BlockWeights
    private let sweep: InPlaceSweep
    /// Where each hidden channel that counts lies among those that do; nil for the others.
    private let places: [Int?]
    private let alive: Int
    private let projectIn: ProductPlace  // shared
    private let projectOut: StackProduct  // shared
    private let depthwise: [ProductPlace]  // shared, one for each phase of the ring
    private let tile, ring, hidden, ahead: Int  // each thread's
    private let own: Layout
    private let sharedSize: Int

    init(_ weights: BlockWeights, _ map: FeatureStack, threads: Int) {
        self.weights = weights
        let living = weights.livingHidden()
        places = living.places(among: weights.hidden)
        alive = living.count
        let plain = Sweep(
            map: map, strips: Strips(width: map.width), bands: Geometry.bands(map.height, threads: threads),
            lineChannels: 2 * alive)
        var shared = Layout(), own = Layout()
        sweep = InPlaceSweep(plain, shared: &shared, own: &own)
        projectIn = ProductPlace(weights.projectIn, in: &shared)
        depthwise = (0..<3).map { _ in ProductPlace(weights.depthwise, in: &shared) }
        projectOut = StackProduct(weights.projectOut, addingTo: map, in: &shared)
        tile = own.take(map.channels * plain.stride)
        ring = own.take(plain.ringSize)
        hidden = own.take(2 * alive * plain.stride)
        ahead = own.take(2 * max(alive, map.channels))
        self.own = own
        sharedSize = shared.size
        scratch = shared.size + threads * own.size
        let perPixel = weights.projectIn.count + weights.depthwise.count + weights.projectOut.count
        cost = Double(perPixel) * Double(map.height * map.width)
    }

    /// The place of row c of project_in and of the depthwise convolution: gates first, then values.
    private func place(_ c: Int) -> Int? {
        c < weights.hidden ? places[c] : places[c - weights.hidden].map { $0 + alive }
    }

    func run(_ run: Run) throws(MirlError) {
        let shared = run.scratch, plain = sweep.sweep, stride = plain.stride
        let expand = projectIn.prepare(
            run, keepingEmpty: false, out: { place($0).map { $0 * stride } }, offset: { $1 * stride })
        let filters = depthwise.enumerated().map { phase, depthwise in
            depthwise.prepare(run, keepingEmpty: false, out: { place($0).map { $0 * stride } }, offset: { row, tap in
                place(row).map { $0 * stride + plain.place(tap: tap, phase: phase) }
            })
        }
        let contract = projectOut.prepare(run, offset: { places[$0].map { $0 * stride } })
        sweep.saveBoundaries(of: run, shared: shared)
        try run.parallel(plain.bands.count, cost: cost) { band, thread in
            let own = shared + sharedSize + thread * self.own.size, tile = own + tile, hidden = own + hidden
            let ahead = (own + ahead).addresses
            for c in 0..<alive { ahead[c] = UnsafePointer(tile) }  // for what lies beyond the map's channels
            plain.pass(
                run, band: plain.bands[band], ring: own + ring,
                produce: { y, strip, line in
                    sweep.gather(y: y, strip: strip, band: band, run: run, shared: shared, own: own, to: tile)
                    run.kernels.normalize(
                        tile, stride, UInt32(weights.channels), UInt32(strip.count + 2), weights.norm2.weight,
                        weights.norm2.bias)
                    expand.apply(run, tile, into: line, width: strip.count + 2)
                    plain.clearEdges(of: line, strip: strip)
                },
                consume: { y, strip in
                    filters[plain.phase(y)].apply(run, own + ring, into: hidden, width: strip.count)
                    plain.listAhead(of: y, strip: strip, in: run.memory, to: ahead)
                    run.kernels.gelu_gate(
                        hidden, hidden + alive * stride, stride, UInt32(alive), UInt32(strip.count), ahead)
                    projectOut.apply(contract, run, hidden, row: y, columns: strip)
                })
        }
    }
}

extension BlockWeights {
    /// The hidden channels of the feed-forward layer that can change the result: a gate or value that is always zero
    /// makes their product zero, and what project_out does not read is lost.
    fileprivate func livingHidden() -> [Int] {
        let isRead = projectOut.columnsRead()
        return (0..<hidden).filter { c in
            isRead[c] && [c, hidden + c].allSatisfy { !projectIn.isEmpty($0) && !depthwise.isEmpty($0) }
        }.sorted(byTermsOf: depthwise, from: 0)
    }
}
