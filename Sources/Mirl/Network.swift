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

    /// The task whose mean mixtures the given ones come nearest to, or `auto` if those of clean images: with how much of
    /// the way they have gone to these from those of the next likely kind, 0.5...1. nil if there are none, or if a
    /// mixture is of anything but shares.
    func nearest(_ seen: [[Float]]) -> Session.Sight? {
        let seen = seen.flatMap(\.self)
        let kinds = Task.allCases.compactMap { task in
            (task == .auto ? clean : mixtures[task]).map { (task: task, mean: $0.flatMap(\.self)) }
        }
        let shares: ClosedRange<Float> = -0.01...1.01  // as they are rounded
        guard (kinds.map(\.mean) + [seen]).joined().allSatisfy(shares.contains) else { return nil }
        let candidates = kinds.map { kind in
            let ways = kinds.filter { $0.task != kind.task }.map { share(of: seen, from: $0.mean, to: kind.mean) }
            return Session.Sight(task: kind.task, confidence: ways.min() ?? 1)
        }
        return candidates.max { $0.confidence < $1.confidence }
    }
}

/// How much of the way from one point to another a third has gone, 0...1; a half where they are the same.
private func share(of point: [Float], from start: [Float], to end: [Float]) -> Float {
    var along: Float = 5e-7, length: Float = 1e-6
    for ((point, start), end) in zip(zip(point, start), end) {
        along += (point - start) * (end - start)
        length += (end - start) * (end - start)
    }
    return min(max(along / length, 0), 1)
}

extension Matrix {
    fileprivate var rowsOfFloats: [[Float]] {
        let values = floats(Kernels.chosen)
        return (0..<rows).map { Array(values[$0 * columns..<($0 + 1) * columns]) }
    }
}
