import MirlKernels

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
    private let total: Double
    private let goOn: (Float) -> Bool
    private var finished = 0.0

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

    /// Shares out the items of a phase that takes `cost` multiply-adds.
    func parallel(_ count: Int, cost: Double, _ body: (_ item: Int, _ thread: Int) -> Void) throws(MirlError) {
        let wanted = try workers.run(count, goOn: { share in
            self.goOn(Float(min(1, (finished + cost * Double(share)) / total)))
        }, body)
        finished += cost
        if !wanted { throw .cancelled }
    }
}
