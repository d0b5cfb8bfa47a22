import MirlKernels

/// Restores images one after another, owning all scratch memory; serves one thread at a time.
public final class Session {
    /// A degradation that prompt mixtures were nearest to, with its share of the evidence (0...1).
    public typealias Sight = (task: Task, confidence: Float)

    /// What the network saw in the image that was restored last; nil if the weights carry no mixtures to compare with.
    public private(set) var seen: Sight?

    private let model: Model
    private let threads: Int
    private let workers: (HostArithmetic) -> any Workers
    private let kernels: mirlk_kernels
    private var plan: Plan?
    private var planned = (width: 0, height: 0)
    private let memory: SessionMemory
    /// Images that would take more bytes of scratch memory than this are restored in tiles that overlap by 64 pixels or
    /// more, with a slightly different result; nil for no limit.
    public var memoryLimit: Int?

    /// `threads` 0 means as many as the process may use, and `kernels` nil those that suit the processor best. The result
    /// never depends on the threads. `runner` does the work on the host's threads, at most `threads` of them, instead of
    /// the session's own; `allocator` gives the memory whose size depends on the image.
    public init(
        _ model: Model, threads: Int = 0, kernels name: String? = nil, runner: HostRunner? = nil,
        allocator: Allocator? = nil, memoryLimit: Int? = nil
    ) throws(MirlError) {
        guard (0...1024).contains(threads) else { throw .argument("threads: \(threads), expected 0 to 1024") }
        guard let kernels = name.map(Kernels.named) ?? Kernels.chosen else {
            throw .argument("kernels: none called \"\(name!)\" on this processor")
        }
        self.model = model
        self.kernels = kernels
        self.threads = threads == 0 ? ThreadPool.available : threads
        workers = try Self.workers(threads: self.threads, runner)
        memory = SessionMemory(allocator ?? .system)
        self.memoryLimit = memoryLimit
    }

    private static func workers(
        threads: Int, _ runner: HostRunner?
    ) throws(MirlError) -> (HostArithmetic) -> any Workers {
        if let runner { return { HostWorkers(threads: threads, runner: runner, arithmetic: $0) } }
        let pool = try ThreadPool(threads: threads)
        return { _ in pool }
    }

    /// Restores `input` into `output`: same size and format, other or the same memory.
    ///
    /// `strength` 0...1 blends the input (0) with the restored image (1). `progress` is called on the calling thread
    /// with the share done, 0...1, never falling; returning false cancels. After an error `output` is as it was.
    public func restore(
        _ input: ImageBuffer, into output: ImageBuffer, task: Task = .auto, strength: Float = 1,
        progress: ((Float) -> Bool)? = nil
    ) throws(MirlError) {
        try input.check("input")
        try output.check("output")
        guard input.format == output.format, input.width == output.width, input.height == output.height else {
            throw .argument("output: its size and format are not the input's")
        }
        guard (0...1).contains(strength) else { throw .argument("strength: \(strength), expected 0 to 1") }
        let arithmetic = HostArithmetic.enter()
        defer { arithmetic.leave() }
        let tell = progress.map { tell in { done in arithmetic.call { tell(done) } } }
        let restored: FeatureMap, base: UnsafeMutablePointer<Float>, mixtures: [[Float]], progress: Progress
        let plan = try plan(width: input.width, height: input.height)
        if let memoryLimit, plan.size * MemoryLayout<Float>.stride > memoryLimit {
            (restored, base, mixtures, progress) = try restoreTiles(
                of: input, within: memoryLimit, task: task, arithmetic, tell: tell)
        } else {
            base = try memory.floats(plan.size, arithmetic)
            progress = Progress(total: plan.cost, tell: tell)
            let run = try begin(plan, input, in: base, task: task, arithmetic, progress)
            try forward(plan, run, visit: nil)
            (restored, mixtures) = (plan.image, run.mixtures)
        }
        try progress.finish()
        Pixels(image: input, map: restored, memory: base).store(to: output, strength: strength)
        seen = model.nearest(mixtures.reversed())
    }

    /// Loads an image for `plan` into the memory from `base` on.
    private func begin(
        _ plan: Plan, _ input: ImageBuffer, in base: UnsafeMutablePointer<Float>, task: Task,
        _ arithmetic: HostArithmetic, _ progress: Progress
    ) throws(MirlError) -> Run {
        try Pixels(image: input, map: plan.image, memory: base).load(progress)
        return Run(
            kernels: kernels, memory: base, scratch: base + plan.scratch, workers: workers(arithmetic),
            steering: model.mixtures[task], progress: progress)
    }

    private func forward(
        _ plan: Plan, _ run: Run, visit: ((_ name: String, _ values: [Float]) -> Void)?
    ) throws(MirlError) {
        for (i, layer) in plan.layers.enumerated() {
            try layer.run(run)
            guard let visit else { continue }
            for mark in plan.marks where mark.layer == i { visit(mark.name, mark.features.values(in: run.memory)) }
        }
    }

    private func plan(width: Int, height: Int) throws(MirlError) -> Plan {
        if let plan, planned == (width, height) { return plan }
        let new = try newPlan(width: width, height: height)
        plan = new
        planned = (width, height)
        return new
    }

    private func newPlan(width: Int, height: Int) throws(MirlError) -> Plan {
        guard let plan = Plan(model.weights, width: width, height: height, threads: threads) else {
            throw .argument("input: \(width)x\(height) pixels cannot be")
        }
        return plan
    }
}

// Restoring in tiles.
extension Session {
    /// The restored image, the memory that holds it, and the mean of the tiles' prompt mixtures.
    private func restoreTiles(
        of input: ImageBuffer, within limit: Int, task: Task, _ arithmetic: HostArithmetic,
        tell: ((Float) -> Bool)?
    ) throws(MirlError) -> (FeatureMap, UnsafeMutablePointer<Float>, [[Float]], Progress) {
        let restored = FeatureMap(offset: 0, channels: 3, height: input.height, width: input.width)
        let tiling = try tiling(of: input, within: limit, besides: restored.count)
        let plan = try plan(width: tiling.tileWidth, height: tiling.tileHeight)
        let base = try memory.floats(restored.count + plan.size, arithmetic)
        let tiles = tiling.rows.flatMap { row in tiling.columns.map { (row: row, column: $0) } }
        let progress = Progress(total: Double(tiles.count) * plan.cost, tell: tell)
        try restored.clear(in: base, progress)
        let share = 1 / Float(tiles.count)
        var mixtures: [[Float]] = []
        for tile in tiles {
            let part = input.part(columns: tile.column.range, rows: tile.row.range)
            let run = try begin(plan, part, in: base + restored.count, task: task, arithmetic, progress)
            try forward(plan, run, visit: nil)
            try restored.add(plan.image, of: run.memory, at: tile.row, tile.column, in: base, progress)
            let weighted = run.mixtures.map { $0.map { $0 * share } }
            mixtures = mixtures.isEmpty ? weighted : zip(mixtures, weighted).map { zip($0, $1).map(+) }
        }
        return (restored, base, mixtures, progress)
    }

    /// The largest tiles whose memory, and `extra` floats, stay within `limit` bytes.
    private func tiling(of input: ImageBuffer, within limit: Int, besides extra: Int) throws(MirlError) -> Tiling {
        func bytes(_ side: Int) throws(MirlError) -> Int {
            let tiling = Tiling(width: input.width, height: input.height, side: side)
            let plan = try newPlan(width: tiling.tileWidth, height: tiling.tileHeight)
            return (plan.size + extra) * MemoryLayout<Float>.stride
        }
        var side = Tiling.smallestSide, step = Geometry.maximumSide / Plan.multiple / 2 * Plan.multiple
        let least = try bytes(side)
        guard least <= limit else {
            throw .memory(
                "input: \(input.width)x\(input.height) pixels take \(least) bytes of scratch memory in the smallest "
                    + "tiles, more than the limit of \(limit)")
        }
        while step >= Plan.multiple {
            let larger = side + step
            if larger < max(input.width, input.height), try bytes(larger) <= limit { side = larger }
            step = step / 2 / Plan.multiple * Plan.multiple
        }
        return Tiling(width: input.width, height: input.height, side: side)
    }
}

extension ImageBuffer {
    fileprivate func part(columns: Range<Int>, rows: Range<Int>) -> ImageBuffer {
        ImageBuffer(
            format, width: columns.count, height: rows.count, stride: stride,
            data: row(rows.lowerBound) + columns.lowerBound * format.bytesPerPixel)
    }
}

extension FeatureMap {
    /// Sets all values to zero.
    fileprivate func clear(in memory: UnsafeMutablePointer<Float>, _ progress: Progress) throws(MirlError) {
        for y in 0..<height {
            try progress.check()
            row(y, in: memory).update(repeating: 0, count: rowStride)
        }
    }

    /// Adds a tile, weighted.
    fileprivate func add(
        _ tile: FeatureMap, of tileMemory: UnsafeMutablePointer<Float>, at rows: Tiling.Span, _ columns: Tiling.Span,
        in memory: UnsafeMutablePointer<Float>, _ progress: Progress
    ) throws(MirlError) {
        for (y, rowWeight) in zip(rows.range, rows.weights) {
            try progress.check()
            for c in 0..<channels {
                let from = tile.row(y - rows.range.lowerBound, in: tileMemory) + c * tile.channelStride
                let to = row(y, in: memory) + c * channelStride + columns.range.lowerBound
                for (x, weight) in columns.weights.enumerated() { to[x] += rowWeight * weight * from[x] }
            }
        }
    }
}

extension Session {
    /// Runs the network as `restore` does, and hands out the maps that the graph's parts leave, by their names in a
    /// checkpoint (channels x height x width), at last `output`: the padded image before it is clamped.
    package func trace(
        _ input: ImageBuffer, task: Task = .auto, visit: @escaping (_ name: String, _ values: [Float]) -> Void
    ) throws(MirlError) {
        let arithmetic = HostArithmetic.enter()
        defer { arithmetic.leave() }
        let plan = try plan(width: input.width, height: input.height), base = try memory.floats(plan.size, arithmetic)
        let progress = Progress(total: plan.cost, tell: nil)
        try forward(plan, begin(plan, input, in: base, task: task, arithmetic, progress), visit: visit)
    }
}

extension Model {
    /// The task whose mean mixtures are nearest to the given ones (squared distance), with its share of closeness; nil if
    /// there are none, or if the distances are not numbers.
    func nearest(_ seen: [[Float]]) -> Session.Sight? {
        let closeness = Task.allCases.compactMap { task in
            mixtures[task].map { mean -> Session.Sight in
                let distance = zip(mean.joined(), seen.joined()).reduce(Float(0)) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
                return (task, 1 / (distance + 1e-6))
            }
        }
        let total = closeness.reduce(0) { $0 + $1.confidence }
        guard total > 0, total.isFinite, let best = closeness.max(by: { $0.confidence < $1.confidence }) else { return nil }
        return (best.task, best.confidence / total)
    }
}
