import MirlWeights

/// The network of a weight file; immutable.
final class Network: Sendable {
    let weights: NetworkWeights
    /// The mean mixtures of the prompts of decoder levels 1 to 3 for each task, where the weights carry them.
    let mixtures: [Task: [[Float]]]
    /// Those for images that need nothing.
    private let clean: [[Float]]?
    /// Where `weights` lie.
    private let file: WeightFile

    init(_ file: WeightFile) {
        self.file = file
        weights = NetworkWeights(file)
        mixtures = Dictionary(
            uniqueKeysWithValues: Task.allCases.compactMap { task in
                file.mixture(of: task.rawValue).map { (task, $0.rowsOfFloats) }
            })
        clean = file.mixture(of: Architecture.clean)?.rowsOfFloats
    }

    /// The task whose mean mixtures are nearest to the given ones (squared distance), or `auto` if those of clean
    /// images are nearer, with its share of closeness; nil if there are none, or if the distances are not numbers.
    func nearest(_ seen: [[Float]]) -> Session.Sight? {
        func closeness(_ mean: [[Float]]) -> Float {
            1 / zip(mean.joined(), seen.joined()).reduce(1e-6) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        }
        let candidates = Task.allCases.compactMap { task in
            (task == .auto ? clean : mixtures[task]).map { (task, closeness($0)) }
        }
        let total = candidates.reduce(0) { $0 + $1.1 }
        guard total > 0, total.isFinite, let best = candidates.max(by: { $0.1 < $1.1 }) else { return nil }
        return (best.0, best.1 / total)
    }
}

extension Matrix {
    fileprivate var rowsOfFloats: [[Float]] {
        let values = floats()
        return (0..<rows).map { Array(values[$0 * columns..<($0 + 1) * columns]) }
    }
}
