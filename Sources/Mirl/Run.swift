import MirlKernels

/// A way through the network, of an image or of a tile: the memory it uses and what steers it.
final class Run {
    let kernels: mirlk_kernels
    let memory: UnsafeMutablePointer<Float>
    let scratch: UnsafeMutablePointer<Float>
    /// The mixture of each prompt's components to use; nil where the network decides.
    let steering: [[Float]]?
    /// The mixtures that the network itself would choose, prompt 3 first.
    var mixtures: [[Float]] = []

    private let workers: any Workers
    private let progress: Progress

    init(
        kernels: mirlk_kernels, memory: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>,
        workers: any Workers, steering: [[Float]]?, progress: Progress
    ) {
        self.kernels = kernels
        self.memory = memory
        self.scratch = scratch
        self.workers = workers
        self.steering = steering
        self.progress = progress
    }

    /// Shares out the items of a phase that takes `cost` multiply-adds. A body that takes longer than some milliseconds
    /// returns early when `goesOn` says no.
    func parallel(_ count: Int, cost: Double, _ body: (_ item: Int, _ thread: Int) -> Void) throws(MirlError) {
        progress.begin(count, cost: cost)
        try workers.run(count, whileWaiting: { _ = goesOn() }) { item, thread in
            guard goesOn() else { return }
            body(item, thread)
            progress.itemIsDone()
        }
        try progress.end()
    }

    /// Whether the work is still wanted; on the caller's thread this asks the host now and then.
    func goesOn() -> Bool { progress.goesOn() }
}
