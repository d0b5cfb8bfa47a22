import Glibc
import MirlKernels

/// Restores images one after another, owning all scratch memory; serves one thread at a time.
public final class Session {
    /// The degradation that the last restoration's prompt mixtures were nearest to, with its share of the evidence
    /// (0...1); nil if the weights carry no mixtures to compare with.
    public private(set) var seen: (task: Task, confidence: Float)?

    private let model: Model
    private let pool: ThreadPool
    private let kernels: mirlk_kernels
    private var plan: Plan?
    private var planned = (width: 0, height: 0)
    private let memory = Memory()

    /// `threads` 0 means as many as the process may use; the result never depends on it.
    public convenience init(_ model: Model, threads: Int = 0) throws(MirlError) {
        try self.init(model, threads: threads, kernels: Kernels.chosen)
    }

    /// With the table of kernels that has the given name.
    package convenience init(_ model: Model, threads: Int, kernels name: String) throws(MirlError) {
        guard let kernels = Kernels.named(name) else { throw .argument("kernels \(name): not on this processor") }
        try self.init(model, threads: threads, kernels: kernels)
    }

    private init(_ model: Model, threads: Int, kernels: mirlk_kernels) throws(MirlError) {
        guard (0...1024).contains(threads) else { throw .argument("threads: \(threads), expected 0 to 1024") }
        self.model = model
        self.kernels = kernels
        pool = try ThreadPool(threads: threads == 0 ? ThreadPool.available : threads)
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
        let arithmetic = mirlk_enter_arithmetic()
        defer { mirlk_leave_arithmetic(arithmetic) }
        func goOn(_ done: Float) -> Bool {
            guard let progress else { return true }
            mirlk_leave_arithmetic(arithmetic)
            defer { _ = mirlk_enter_arithmetic() }
            return progress(done)
        }
        let (plan, run) = try begin(input, task: task, goOn: goOn)
        try forward(plan, run, visit: nil)
        if !goOn(1) { throw .cancelled }
        Pixels(image: input, map: plan.image, memory: run.memory).store(to: output, strength: strength)
        seen = model.nearest(run.mixtures.reversed())
    }

    private func begin(
        _ input: ImageBuffer, task: Task, goOn: @escaping (Float) -> Bool
    ) throws(MirlError) -> (Plan, Run) {
        let (plan, base) = try prepare(width: input.width, height: input.height)
        Pixels(image: input, map: plan.image, memory: base).load()
        let run = Run(
            kernels: kernels, memory: base, scratch: base + plan.scratch, pool: pool, steering: model.mixtures[task],
            cost: plan.cost, goOn: goOn)
        return (plan, run)
    }

    private func forward(
        _ plan: Plan, _ run: Run, visit: ((_ name: String, _ values: [Float]) -> Void)?
    ) throws(MirlError) {
        for (i, layer) in plan.layers.enumerated() {
            try layer.run(run)
            guard let visit else { continue }
            for mark in plan.marks where mark.layer == i { visit(mark.name, mark.map.values(in: run.memory)) }
        }
    }

    private func prepare(width: Int, height: Int) throws(MirlError) -> (Plan, UnsafeMutablePointer<Float>) {
        if let plan, planned == (width, height) { return (plan, try memory.floats(plan.size)) }
        guard let new = Plan(model.weights, width: width, height: height, threads: pool.threads) else {
            throw .argument("input: \(width)x\(height) pixels cannot be")
        }
        plan = new
        planned = (width, height)
        return (new, try memory.floats(new.size))
    }
}

extension Session {
    /// Runs the network as `restore` does, and hands out the maps that the graph's parts leave, by their names in a
    /// checkpoint (channels x height x width), at last `output`: the padded image before it is clamped.
    package func trace(
        _ input: ImageBuffer, task: Task = .auto, visit: @escaping (_ name: String, _ values: [Float]) -> Void
    ) throws(MirlError) {
        let arithmetic = mirlk_enter_arithmetic()
        defer { mirlk_leave_arithmetic(arithmetic) }
        let (plan, run) = try begin(input, task: task, goOn: { _ in true })
        try forward(plan, run, visit: visit)
    }
}

/// One growing block of memory, aligned to cache lines.
private final class Memory {
    private var base: UnsafeMutableRawPointer?
    private var size = 0

    deinit { free(base) }

    func floats(_ count: Int) throws(MirlError) -> UnsafeMutablePointer<Float> {
        let bytes = count * MemoryLayout<Float>.stride
        if base == nil || bytes > size {
            free(base)
            base = nil
            guard posix_memalign(&base, 64, bytes) == 0 else {
                throw .memory("cannot allocate \(bytes) bytes of scratch memory")
            }
            size = bytes
        }
        return base!.assumingMemoryBound(to: Float.self)
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
