/// How images of one size are restored within a limit of memory: as a whole, or in tiles that overlap.
struct Schedule {
    /// Of the whole image, or of a tile.
    let plan: Plan
    /// nil: as a whole.
    let tiling: Tiling?
    /// The restored image: the plan's own, or what the tiles add up to, which lies before the memory of a tile.
    let result: FeatureMap

    /// Bytes of memory.
    var bytes: Int { (planStart + plan.size) * MemoryLayout<Float>.stride }
    /// Where the plan's memory begins, in floats.
    var planStart: Int { tiling == nil ? 0 : result.count }
    /// Multiply-adds.
    var cost: Double { plan.cost * Double(tiling?.count ?? 1) }

    /// The whole image if that takes at most `limit` bytes, otherwise the largest tiles with which it does. Laying out
    /// a network takes milliseconds, so that the search asks whether to go on.
    init(
        _ weights: NetworkWeights, width: Int, height: Int, threads: Int, within limit: Int, _ progress: Progress
    ) throws(MirlError) {
        let whole = Schedule(weights, width: width, height: height, threads: threads, tiling: nil)
        guard whole.bytes > limit else {
            self = whole
            return
        }
        func tiled(_ side: Int) throws(MirlError) -> Schedule {
            try progress.check()
            return Schedule(weights, width: width, height: height, threads: threads, side: side)
        }
        var side = Tiling.smallestSide, best = try tiled(side)
        guard best.bytes <= limit else {
            throw .memory(
                "the input's \(width)x\(height) pixels take \(best.bytes) bytes of scratch memory, the result "
                    + "included, in the smallest tiles, more than the limit of \(limit)")
        }
        var step = 1 << 15  // all steps together reach every side
        while step >= Plan.multiple {
            let larger = side + step
            if larger < max(width, height) {
                let candidate = try tiled(larger)
                if candidate.bytes <= limit { (side, best) = (larger, candidate) }
            }
            step /= 2
        }
        self = best
    }

    /// In tiles of at most `side` x `side` pixels, as a whole where that is one.
    init(_ weights: NetworkWeights, width: Int, height: Int, threads: Int, side: Int) {
        let tiling = max(width, height) > side ? Tiling(width: width, height: height, side: side) : nil
        self.init(weights, width: width, height: height, threads: threads, tiling: tiling)
    }

    /// As a whole, or in the tiles of `tiling`.
    init(_ weights: NetworkWeights, width: Int, height: Int, threads: Int, tiling: Tiling?) {
        let size = tiling.map { ($0.tileWidth, $0.tileHeight) } ?? (width, height)
        plan = Plan(weights, width: size.0, height: size.1, threads: threads)
        self.tiling = tiling
        result = tiling == nil ? plan.image : FeatureMap(offset: 0, channels: 3, height: height, width: width)
    }
}
