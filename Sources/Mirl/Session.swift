import MirlKernels

/// Restores images one after another, owning all scratch memory; serves one thread at a time.
public final class Session {
    /// The degradation that the last restoration's prompt mixtures were nearest to, with its share of the evidence
    /// (0...1); nil if the weights carry no mixtures to compare with.
    public private(set) var seen: (task: Task, confidence: Float)?

    private let model: Model
    private let threads: Int
    private let workers: (HostArithmetic) -> any Workers
    private let kernels: mirlk_kernels
    private var plan: Plan?
    private var planned = (width: 0, height: 0)
    private let memory: SessionMemory

    /// `threads` 0 means as many as the process may use, and `kernels` nil those that suit the processor best. The result
    /// never depends on the threads. `runner` does the work on the host's threads, at most `threads` of them, instead of
    /// the session's own; `allocator` gives the memory whose size depends on the image.
    public init(
        _ model: Model, threads: Int = 0, kernels name: String? = nil, runner: HostRunner? = nil,
        allocator: Allocator? = nil
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
        func goOn(_ done: Float) -> Bool {
            guard let progress else { return true }
            return arithmetic.call { progress(done) }
        }
        let (plan, run) = try begin(input, task: task, arithmetic, goOn: goOn)
        try forward(plan, run, visit: nil)
        if !goOn(1) { throw .cancelled }
        Pixels(image: input, map: plan.image, memory: run.memory).store(to: output, strength: strength)
        seen = model.nearest(run.mixtures.reversed())
    }

    private func begin(
        _ input: ImageBuffer, task: Task, _ arithmetic: HostArithmetic, goOn: @escaping (Float) -> Bool
    ) throws(MirlError) -> (Plan, Run) {
        let plan = try plan(width: input.width, height: input.height)
        let base = try memory.floats(plan.size, arithmetic)
        Pixels(image: input, map: plan.image, memory: base).load()
        let run = Run(
            kernels: kernels, memory: base, scratch: base + plan.scratch, workers: workers(arithmetic),
            steering: model.mixtures[task], cost: plan.cost, goOn: goOn)
        return (plan, run)
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
        guard let new = Plan(model.weights, width: width, height: height, threads: threads) else {
            throw .argument("input: \(width)x\(height) pixels cannot be")
        }
        plan = new
        planned = (width, height)
        return new
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
        let (plan, run) = try begin(input, task: task, arithmetic, goOn: { _ in true })
        try forward(plan, run, visit: visit)
    }
}

extension Model {
    /// The task whose mean mixtures are nearest to the given ones (squared distance), with its share of closeness.
    func nearest(_ seen: [[Float]]) -> (task: Task, confidence: Float)? {
        let closeness = mixtures.map { task, mean in
            let distance = zip(mean.joined(), seen.joined()).reduce(Float(0)) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
            return (task: task, confidence: 1 / (distance + 1e-6))
        }
        let total = closeness.reduce(0) { $0 + $1.confidence }
        return closeness.max { $0.confidence < $1.confidence }.map { ($0.task, $0.confidence / total) }
    }
}
