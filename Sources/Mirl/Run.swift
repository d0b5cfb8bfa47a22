import Glibc
import MirlKernels
import Synchronization

/// One image's way through the network: the memory it uses and what steers it.
final class Run {
    let kernels: mirlk_kernels
    let memory: UnsafeMutablePointer<Float>
    let scratch: UnsafeMutablePointer<Float>
    /// The mixture of each prompt's components to use; nil where the network decides.
    let steering: [[Float]]?
    /// The mixtures that the network itself would choose, prompt 3 first.
    var mixtures: [[Float]] = []

    private let workers: any Workers
    private let goOn: (Float) -> Bool
    private let caller = pthread_self()
    private let isCancelled = Atomic(false)

    // The progress in multiply-adds: all of them, those of finished phases, and the phase under way.
    private let total: Double
    private var finished = 0.0
    private var phase = (cost: 0.0, items: 1.0)
    private let itemsDone = Atomic(0)
    private var lastAsked = 0.0

    /// `cost` is that of all phases; `goOn` is told the share done on the caller's thread, and cancels by saying no.
    init(
        kernels: mirlk_kernels, memory: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>,
        workers: any Workers, steering: [[Float]]?, cost: Double, goOn: @escaping (Float) -> Bool
    ) {
        self.kernels = kernels
        self.memory = memory
        self.scratch = scratch
        self.workers = workers
        self.steering = steering
        self.total = cost
        self.goOn = goOn
    }

    /// Shares out the items of a phase that takes `cost` multiply-adds. A body that takes longer than some milliseconds
    /// returns early when `goesOn` says no.
    func parallel(_ count: Int, cost: Double, _ body: (_ item: Int, _ thread: Int) -> Void) throws(MirlError) {
        phase = (cost, Double(count))
        itemsDone.store(0, ordering: .relaxed)
        try workers.run(count) { item, thread in
            guard goesOn() else { return }
            body(item, thread)
            itemsDone.wrappingAdd(1, ordering: .relaxed)
        }
        finished += cost
        phase = (0, 1)
        ask()
        if isCancelled.load(ordering: .relaxed) { throw .cancelled }
    }

    /// Whether the work is still wanted. On the caller's thread this asks the host, though not for every question.
    func goesOn() -> Bool {
        if pthread_equal(caller, pthread_self()) != 0, seconds() - lastAsked > 0.01 { ask() }
        return !isCancelled.load(ordering: .relaxed)
    }

    private func ask() {
        guard !isCancelled.load(ordering: .relaxed) else { return }
        let done = finished + phase.cost * Double(itemsDone.load(ordering: .relaxed)) / phase.items
        if !goOn(Float(min(1, done / total))) { isCancelled.store(true, ordering: .relaxed) }
        lastAsked = seconds()
    }

    private func seconds() -> Double {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
    }
}
