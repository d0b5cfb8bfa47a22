import MirlKernels

/// Restores images one after another, owning all scratch memory; serves one thread at a time.
public final class Session {
    /// The degradation that prompt mixtures were nearest to, `auto` for none, and how surely (0.5...1).
    public typealias Sight = (task: Task, confidence: Float)

    /// What the network saw in the image that was restored last; nil if the weights carry no mixtures to compare with.
    public private(set) var seen: Sight?

    /// What an image is restored as, and how much of that (0...1).
    public typealias Choice = (task: Task, strength: Float)

    /// What the image that was restored last was restored as: the task that was asked for or that `auto` took, and
    /// how much of that `auto` took; the strength that was asked for comes on top.
    public private(set) var done: Choice = (.auto, 1)

    /// More threads than this are a mistake rather than a wish.
    public static let mostThreads = 1024

    private let model: Model
    private let threads: Int
    private let workers: (HostArithmetic) -> any Workers
    private let kernels: mirlk_kernels
    private let memory: SessionMemory
    private var schedules: [ScheduleKey: Schedule] = [:]
    /// Enough for images of one size, whatever is seen in them.
    private static let mostSchedules = 8

    /// `threads` 0 means as many as the calling thread may use processors, and `kernels` nil those that MIRL_KERNELS
    /// names, or the best for the processor. The result depends on the threads only with a `memoryLimit`. `runner` does
    /// the work on the host's threads, at most `threads` of them, instead of the session's own; `allocator` gives the
    /// memory that grows with the pixels of an image.
    public init(
        _ model: Model, threads: Int = 0, kernels name: String? = nil, runner: HostRunner? = nil,
        allocator: Allocator? = nil, precision: Precision = .fp32
    ) throws(MirlError) {
        guard (0...Self.mostThreads).contains(threads) else {
            throw .argument("threads: \(threads), expected 0 to \(Self.mostThreads)")
        }
        guard let kernels = name.map(Kernels.named) ?? Kernels.chosen else {
            throw .argument("kernels: none called \"\(name!)\" on this processor")
        }
        self.model = model
        self.kernels = precision == .bf16 ? mirlk_bf16(kernels) : kernels
        self.threads = threads == 0 ? ThreadPool.available : threads
        workers = try Self.workers(threads: self.threads, runner)
        memory = SessionMemory(allocator ?? .system)
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
    ///
    /// An image that would take more than `memoryLimit` bytes of scratch memory is restored in tiles that overlap by 64
    /// pixels or more, with a slightly different result; nil for no limit.
    public func restore(
        _ input: ImageBuffer, into output: ImageBuffer, task: Task = .auto, strength: Float = 1,
        memoryLimit: Int? = nil, progress: ((Float) -> Bool)? = nil
    ) throws(MirlError) {
        let arithmetic = HostArithmetic.enter()
        defer { arithmetic.leave() }
        try input.check("input")
        try output.check("output")
        try output.check(against: input)
        guard (0...1).contains(strength) else { throw .argument("strength: \(strength), expected 0 to 1") }
        let progress = Progress(tell: progress.map { tell in { done in arithmetic.call { tell(done) } } })
        let limit = memoryLimit ?? .max
        let sight = task == .auto ? try look(at: input, within: limit, arithmetic, progress) : nil
        let choice = sight.map(choice(for:)) ?? (task: task, strength: 1), network = model.network(for: choice.task)
        if let sight, strength * choice.strength == 0 {
            try progress.finish()
            input.keep(in: output, strength: strength)
            (seen, done) = (sight, choice)
            return
        }
        let schedule = try schedule(of: network, width: input.width, height: input.height, within: limit, progress)
        progress.expect(schedule.cost)
        let base = try memory.block(of: schedule.bytes, within: limit, arithmetic)
        let mixtures = if let tiling = schedule.tiling {
            try restoreTiles(
                of: input, tiling, schedule, in: base, steering: network.mixtures[choice.task], arithmetic, progress)
        } else {
            try forward(schedule.plan, input, in: base, steering: network.mixtures[choice.task], arithmetic, progress)
        }
        try progress.finish()
        Pixels(image: input, map: schedule.result, memory: base)
            .store(to: output, strength: strength, certainty: choice.strength)
        seen = sight ?? network.nearest(mixtures)
        done = choice
    }

    /// The least that a `memoryLimit` can be: bytes of scratch memory that an image takes in the smallest tiles, or as a
    /// whole where that is less, and that looking at it takes. 0 where there can be no such image.
    public func leastMemory(width: Int, height: Int, task: Task) -> Int {
        guard (1...Geometry.maximumSide).contains(width), (1...Geometry.maximumSide).contains(height) else { return 0 }
        let networks = task == .auto ? model.networks : [model.network(for: task)]
        let least = networks.map { network in
            // A whole image that is hardly larger than a tile may take less.
            let sides = [Tiling.smallestSide, Geometry.maximumSide]
            return sides.map { bytes(of: network, width: width, height: height, side: $0) }.min()!
        }
        guard task == .auto, let judge = model.judge else { return least.max()! }
        let glance = Glance(width: width, height: height)
        return max(bytes(of: judge, width: glance.width, height: glance.height, side: Glance.side), least.max()!)
    }

    private func bytes(of network: Network, width: Int, height: Int, side: Int) -> Int {
        Schedule(network.weights, width: width, height: height, threads: threads, side: side).bytes
    }

    /// Restores an image in the memory from `base` on, or runs only the first layers, and returns the mixtures of the
    /// prompts of decoder levels 1 to 3.
    private func forward(
        _ plan: Plan, layers: Int = .max, _ input: ImageBuffer, in base: UnsafeMutablePointer<Float>,
        steering: [[Float]]?, _ arithmetic: HostArithmetic, _ progress: Progress,
        visit: ((_ name: String, _ values: [Float]) -> Void)? = nil
    ) throws(MirlError) -> [[Float]] {
        try Pixels(image: input, map: plan.image, memory: base).load(progress)
        let run = Run(
            kernels: kernels, memory: base, scratch: base + plan.scratch, workers: workers(arithmetic),
            steering: steering, progress: progress)
        for (i, layer) in plan.layers.prefix(layers).enumerated() {
            try layer.run(run)
            guard let visit else { continue }
            for mark in plan.marks where mark.layer == i { visit(mark.name, mark.features.values(in: run.memory)) }
        }
        return run.mixtures.reversed()
    }

    private func schedule(
        of network: Network, width: Int, height: Int, within limit: Int, _ progress: Progress
    ) throws(MirlError) -> Schedule {
        let key = ScheduleKey(network: ObjectIdentifier(network), width: width, height: height, limit: limit)
        if let schedule = schedules[key] { return schedule }
        let schedule = try Schedule(
            network.weights, width: width, height: height, threads: threads, within: limit, progress)
        if schedules.count == Self.mostSchedules { schedules = [:] }
        schedules[key] = schedule
        return schedule
    }
}

/// What a schedule depends on within a session.
private struct ScheduleKey: Hashable {
    let network: ObjectIdentifier
    let width, height, limit: Int
}

// Restoring in tiles.
extension Session {
    /// Adds up the restored tiles, and returns the means of their prompts' mixtures.
    private func restoreTiles(
        of input: ImageBuffer, _ tiling: Tiling, _ schedule: Schedule, in base: UnsafeMutablePointer<Float>,
        steering: [[Float]]?, _ arithmetic: HostArithmetic, _ progress: Progress
    ) throws(MirlError) -> [[Float]] {
        let result = schedule.result, tile = base + schedule.planStart
        try result.clear(in: base, progress)
        var seen: [[[Float]]] = []
        for row in tiling.rows {
            for column in tiling.columns {
                let part = input.part(columns: column.range, rows: row.range)
                let mixtures = try forward(schedule.plan, part, in: tile, steering: steering, arithmetic, progress)
                try result.add(schedule.plan.image, of: tile, at: row, column, in: base, progress)
                seen.append(mixtures)
            }
        }
        return mean(seen)
    }
}

/// The mean of several images' mixtures.
private func mean(_ mixtures: [[[Float]]]) -> [[Float]] {
    let share = 1 / Float(mixtures.count)
    return mixtures.dropFirst().reduce(mixtures[0]) { sums, next in zip(sums, next).map { zip($0, $1).map(+) } }
        .map { $0.map { $0 * share } }
}

// Judging what is wrong with an image before it is restored.
extension Session {
    /// What is seen, or noise, whose removal changes a clean image least. The less sure it is, the less is removed: that
    /// hardly changes photos that are taken for what they are not, and frames of a video do not jump. Haze is to be surer,
    /// as nothing changes a photo as much as to remove it. `auto` where there is no network for the task.
    private func choice(for sight: Sight) -> Choice {
        let task = sight.task == .auto ? .denoise : sight.task, least: Float = task == .dehaze ? 0.7 : 0.5
        let certainty = min(max((sight.confidence - least) / (0.9 - least), 0), 1)
        return model.hasNetwork(for: task) ? (task, certainty) : (.auto, 1)
    }

    /// What the judge among the networks sees in some places of an image; nil if there is none.
    private func look(
        at input: ImageBuffer, within limit: Int, _ arithmetic: HostArithmetic, _ progress: Progress
    ) throws(MirlError) -> Sight? {
        guard let judge = model.judge else { return nil }
        // As the image itself will take about as much, a limit that is too small is found now.
        let whole = try schedule(of: judge, width: input.width, height: input.height, within: limit, progress)
        let glance = Glance(width: input.width, height: input.height)
        let schedule = try schedule(of: judge, width: glance.width, height: glance.height, within: .max, progress)
        guard schedule.bytes <= limit else {
            throw .memory(
                "the input's \(input.width)x\(input.height) pixels take \(schedule.bytes) bytes of scratch memory to "
                    + "look at, more than the limit of \(limit)")
        }
        let plan = schedule.plan
        progress.expect(whole.cost + Double(glance.rows.count * glance.columns.count) * plan.costOfJudging)
        let base = try memory.block(of: schedule.bytes, within: limit, arithmetic)
        var seen: [[[Float]]] = []
        for rows in glance.rows {
            for columns in glance.columns {
                let part = input.part(columns: columns, rows: rows)
                seen.append(
                    try forward(plan, layers: plan.judging, part, in: base, steering: nil, arithmetic, progress))
            }
        }
        return judge.nearest(mean(seen))
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
        let progress = Progress(tell: nil), network = model.network(for: task)
        let plan = try schedule(
            of: network, width: input.width, height: input.height, within: .max, progress
        ).plan
        let base = try memory.block(of: plan.size * MemoryLayout<Float>.stride, within: .max, arithmetic)
        _ = try forward(plan, input, in: base, steering: network.mixtures[task], arithmetic, progress, visit: visit)
    }
}
