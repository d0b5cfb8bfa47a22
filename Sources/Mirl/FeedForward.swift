import MirlKernels

/// GDFN, x += project_out(gelu(a) * b) with a, b = dw3x3(project_in(norm2(x))) (Restormer, section 3.2).
///
/// Hidden channels that pruning has cut off, on either side of the gate, before or after it, are not computed.
struct FeedForward: Layer {
    let scratch: Scratch
    let cost: Double

    /// Whether pruning has left nothing that could change the features.
    var isDead: Bool { living.isEmpty }

    private let weights: BlockWeights
    private let sweep: InPlaceSweep
    /// The hidden channels that count, and where each channel lies among them; nil for the others.
    private let living: [Int]
    private let places: [Int?]
    private let projectIn: ProductPlace  // shared
    private let projectOut: StackProduct  // shared
    private let gates, values: RingProduct  // shared
    private let tile, ring, gated, ahead: Int  // each thread's

    init(_ weights: BlockWeights, _ map: FeatureStack, threads: Int) {
        self.weights = weights
        living = weights.livingHidden()
        places = living.places(among: weights.hidden)
        let plain = Sweep(
            map: map, strips: Strips(width: map.width), bands: Geometry.bands(map.height, threads: threads),
            lineChannels: 2 * living.count)
        var scratch = Scratch(threads: threads)
        sweep = InPlaceSweep(plain, in: &scratch)
        projectIn = ProductPlace(weights.projectIn, in: &scratch.shared)
        let hidden = weights.hidden
        gates = RingProduct(weights.depthwise, rows: 0..<hidden, in: &scratch.shared)
        values = RingProduct(weights.depthwise, rows: hidden..<2 * hidden, in: &scratch.shared)
        projectOut = StackProduct(weights.projectOut, addingTo: map, in: &scratch.shared)
        tile = scratch.own.take(map.channels * plain.stride)
        ring = scratch.own.take(plain.ringSize)
        gated = scratch.own.take(living.count * plain.stride)
        ahead = scratch.own.take(2 * max(living.count, map.channels))
        self.scratch = scratch
        let perPixel = weights.projectIn.count + weights.depthwise.count + weights.projectOut.count
        cost = Double(perPixel) * Double(map.height * map.width)
    }

    /// The place of row c of project_in and of the depthwise convolution: gates first, then values.
    private func place(_ c: Int) -> Int? {
        c < weights.hidden ? places[c] : places[c - weights.hidden].map { $0 + living.count }
    }

    func run(_ run: Run) throws(MirlError) {
        let plain = sweep.sweep, stride = plain.stride
        func filters(_ product: RingProduct, _ rows: [Int]) -> [mirlk_product] {
            product.prepare(
                run, plain, order: rows, out: { place($0).map { $0 * stride } },
                offset: { row, tap in place(row).map { $0 * stride + plain.place(tap: tap) } })
        }
        var expand = mirlk_product(), gates: [mirlk_product] = [], values = gates, contract = gates
        try run.parallel(4, cost: 0) { table, _ in
            switch table {
            case 0:
                expand = projectIn.prepare(
                    run, keepingEmpty: false, out: { place($0).map { $0 * stride } }, offset: { $1 * stride })
            case 1: gates = filters(self.gates, living)
            case 2: values = filters(self.values, living.map { $0 + weights.hidden })
            default: contract = projectOut.prepare(run, offset: { places[$0].map { $0 * stride } })
            }
        }
        sweep.saveBoundaries(of: run)
        try run.parallel(plain.bands.count, cost: cost) { band, thread in
            let own = scratch.own(thread, run), tile = own + tile, gated = own + gated
            let ahead = (own + ahead).addresses
            for c in living.indices { ahead[c] = UnsafePointer(tile) }  // for what lies beyond the map's channels
            plain.pass(
                run, band: plain.bands[band], ring: own + ring,
                produce: { y, strip, line in
                    sweep.normalize(
                        y: y, strip: strip, band: band, run: run, own: own, to: tile, by: weights.norm2, list: ahead)
                    expand.apply(run, tile, into: line, width: plain.computed(strip))
                },
                consume: { y, strip in
                    plain.listAhead(of: y, strip: strip, in: run.memory, to: ahead)
                    gates[plain.phase(y)].applyGated(
                        by: values[plain.phase(y)], run, own + ring, into: gated, width: strip.count, ahead)
                    projectOut.apply(contract, run, gated, row: y, columns: strip)
                })
        }
    }
}

extension BlockWeights {
    /// The hidden channels of the feed-forward layer that can change the result: a gate or value that is always zero
    /// makes their product zero, and what project_out does not read is lost. Channels whose gates, then values, have
    /// equal numbers of terms stand together.
    fileprivate func livingHidden() -> [Int] {
        let isRead = projectOut.columnsRead()
        func terms(_ row: Int) -> Int { depthwise.stored(inRow: row).count }
        return (0..<hidden).filter { c in
            isRead[c] && [c, hidden + c].allSatisfy { !projectIn.isEmpty($0) && !depthwise.isEmpty($0) }
        }.sorted { (terms($0), terms(hidden + $0), $0) < (terms($1), terms(hidden + $1), $1) }
    }
}
