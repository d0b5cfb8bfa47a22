import MirlDefaultWeights
import MirlWeights

/// An open weight file, or those built in; immutable, shared by any number of sessions and threads.
public final class Model: Sendable {
    /// For every task that has no network of its own.
    private let common: Network
    private let special: [Task: Network]

    /// The tasks in `special` have networks of their own.
    package init(_ common: WeightFile, special: [Task: WeightFile] = [:]) {
        self.common = Network(common)
        self.special = special.mapValues(Network.init)
    }

    func network(for task: Task) -> Network { special[task] ?? common }

    /// Whether a task has a network of its own.
    func hasNetwork(for task: Task) -> Bool { special[task] != nil }

    /// The network that judges what is wrong with an image, if another than it may have to restore it.
    var judge: Network? { special.isEmpty ? nil : common }

    var networks: [Network] { [common] + special.values }

    private static func open(
        _ name: String, _ model: () throws(WeightError) -> Model
    ) throws(MirlError) -> Model {
        let arithmetic = HostArithmetic.enter()
        defer { arithmetic.leave() }
        do {
            return try model()
        } catch {
            throw MirlError(error, in: name)
        }
    }

    /// Maps and checks the weight file at `path`.
    public static func open(path: String) throws(MirlError) -> Model {
        try open(path) { () throws(WeightError) in Model(try WeightFile(path: path)) }
    }

    /// Checks and copies a weight file that lies in memory.
    public static func open(copying bytes: UnsafeRawBufferPointer) throws(MirlError) -> Model {
        try open("weights in memory") { () throws(WeightError) in Model(try WeightFile(copying: bytes)) }
    }

    /// The weights built into the library: some for every task, and for some tasks others that do just that, better.
    public static func builtIn() throws(MirlError) -> Model {
        func file(_ start: UnsafeRawPointer, _ size: Int) throws(WeightError) -> WeightFile {
            try WeightFile(borrowing: UnsafeRawBufferPointer(start: start, count: size))
        }
        return try open("built-in weights") { () throws(WeightError) in
            var size = 0, special: [Task: WeightFile] = [:]
            for task in Task.allCases {
                if let start = mirl_default_weights_for(task.rawValue, &size) { special[task] = try file(start, size) }
            }
            return Model(try file(mirl_default_weights(&size), size), special: special)
        }
    }

    /// Whether the weights can be told to do this task; otherwise a restoration goes as with `auto`.
    public func knows(_ task: Task) -> Bool { task == .auto || network(for: task).mixtures[task] != nil }

    /// The scratch memory, in bytes, that a session takes to restore an image of this size, whatever the task; nil if a
    /// number cannot be.
    public func memoryEstimate(width: Int, height: Int, threads: Int) -> Int? {
        let sides = 1...Geometry.maximumSide
        guard (0...Session.mostThreads).contains(threads), sides.contains(width), sides.contains(height) else {
            return nil
        }
        let arithmetic = HostArithmetic.enter()
        defer { arithmetic.leave() }
        let threads = threads == 0 ? ThreadPool.available : threads
        func bytes(_ network: Network, _ width: Int, _ height: Int) -> Int {
            Plan(network.weights, width: width, height: height, threads: threads).size * MemoryLayout<Float>.stride
        }
        let glance = Glance(width: width, height: height)
        let looking = judge.map { bytes($0, glance.width, glance.height) } ?? 0
        return networks.reduce(looking) { max($0, bytes($1, width, height)) }
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
