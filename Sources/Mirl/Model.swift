import MirlDefaultWeights
import MirlWeights

/// An open weight file with its network; immutable, shared by any number of sessions and threads.
public final class Model: Sendable {
    let file: WeightFile
    let weights: NetworkWeights
    /// The mean mixtures of the prompts of decoder levels 1 to 3 for each task, where the weights carry them.
    let mixtures: [Task: [[Float]]]

    private init(_ file: WeightFile) {
        self.file = file
        weights = NetworkWeights(file)
        var mixtures: [Task: [[Float]]] = [:]
        for task in Task.allCases {
            guard let mixture = file.mixture(of: task.rawValue) else { continue }
            let values = mixture.floats()
            mixtures[task] = (0..<mixture.rows).map { Array(values[$0 * mixture.columns..<($0 + 1) * mixture.columns]) }
        }
        self.mixtures = mixtures
    }

    private static func open(
        _ name: String, _ file: () throws(WeightError) -> WeightFile
    ) throws(MirlError) -> Model {
        let arithmetic = HostArithmetic.enter()
        defer { arithmetic.leave() }
        do {
            return Model(try file())
        } catch {
            throw MirlError(error, in: name)
        }
    }

    /// Maps and checks the weight file at `path`.
    public static func open(path: String) throws(MirlError) -> Model {
        try open(path) { () throws(WeightError) in try WeightFile(path: path) }
    }

    /// Checks and copies a weight file that lies in memory.
    public static func open(copying bytes: UnsafeRawBufferPointer) throws(MirlError) -> Model {
        try open("weights in memory") { () throws(WeightError) in try WeightFile(copying: bytes) }
    }

    /// The weights built into the library.
    public static func builtIn() throws(MirlError) -> Model {
        var size = 0
        let bytes = UnsafeRawBufferPointer(start: mirl_default_weights(&size), count: size)
        return try open("built-in weights") { () throws(WeightError) in try WeightFile(borrowing: bytes) }
    }

    /// Whether the weights can be told to do this task; otherwise a restoration goes as with `auto`.
    public func knows(_ task: Task) -> Bool { task == .auto || mixtures[task] != nil }

    /// The scratch memory, in bytes, that a session takes to restore an image of this size; nil if a number cannot be.
    public func memoryEstimate(width: Int, height: Int, threads: Int) -> Int? {
        guard (0...Session.mostThreads).contains(threads) else { return nil }
        let arithmetic = HostArithmetic.enter()
        defer { arithmetic.leave() }
        let threads = threads == 0 ? ThreadPool.available : threads
        guard let plan = Plan(weights, width: width, height: height, threads: threads) else { return nil }
        return plan.size * MemoryLayout<Float>.stride
    }
}

extension MirlError {
    fileprivate init(_ error: WeightError, in name: String) {
        let message = "\(name): \(error)"
        switch error {
        case .system: self = .io(message)
        case .memory: self = .memory(message)
        case .invalid: self = .weights(message)
        }
    }
}
