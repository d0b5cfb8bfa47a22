import MirlWeights

/// The network of a weight file; immutable.
final class Network: Sendable {
    let weights: NetworkWeights
    /// The mean mixtures of the prompts of decoder levels 1 to 3 for each task, where the weights carry them.
    let mixtures: [Task: [[Float]]]
    /// Where `weights` lie.
    private let file: WeightFile

    init(_ file: WeightFile) {
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

    /// The task whose mean mixtures are nearest to the given ones (squared distance), with its share of closeness; nil
    /// if there are none, or if the distances are not numbers.
    func nearest(_ seen: [[Float]]) -> Session.Sight? {
        func closeness(_ mean: [[Float]]) -> Float {
            1 / zip(mean.joined(), seen.joined()).reduce(1e-6) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        }
        let candidates = Task.allCases.compactMap { task in mixtures[task].map { (task, closeness($0)) } }
        let total = candidates.reduce(0) { $0 + $1.1 }
        guard total > 0, total.isFinite, let best = candidates.max(by: { $0.1 < $1.1 }) else { return nil }
        return (best.0, best.1 / total)
    }
}
