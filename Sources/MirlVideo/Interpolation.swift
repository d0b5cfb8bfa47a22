/// Linear interpolation T of chroma along one axis, and what undoes it in the sense of least squares: of changes to the
/// pixels the changes c to the samples of which T c comes nearest, T^T T c = T^T changes. T^T T has three diagonals, as a
/// pixel lies between two samples.
struct Interpolation {
    /// For every pixel the chroma sample before it and the one after it, with the weight of the latter.
    struct Tap {
        let before, after: Int
        let weight: Float

        func interpolate(_ samples: UnsafeMutablePointer<Float>) -> Float {
            samples[before] + weight * (samples[after] - samples[before])
        }

        /// T^T: adds the share of `value` to each of the two samples, which lie `stride` apart from their neighbours.
        func gather(_ value: Float, in samples: UnsafeMutablePointer<Float>, _ stride: Int) {
            samples[before * stride] += (1 - weight) * value
            samples[after * stride] += weight * value
        }
    }

    let taps: [Tap]
    /// Of Gauss's elimination of T^T T: the share of each row that is taken from the next, what lies beside the diagonal,
    /// and the reciprocals of the diagonal that is left.
    private let shares, beside, reciprocals: [Float]

    /// Chroma samples.
    var count: Int { reciprocals.count }

    init(_ axis: ChromaAxis, along pixels: Int) {
        let last = axis.count(along: pixels) - 1
        let taps = (0..<pixels).map { pixel in
            let place = (Float(pixel) - axis.offset) / Float(axis.factor)
            let before = place.rounded(.down)
            return Tap(before: max(Int(before), 0), after: min(Int(before) + 1, last), weight: place - before)
        }
        var diagonal = [Float](repeating: 0, count: last + 1), beside = diagonal
        for tap in taps {
            if tap.before == tap.after {
                diagonal[tap.before] += 1
            } else {
                diagonal[tap.before] += (1 - tap.weight) * (1 - tap.weight)
                diagonal[tap.after] += tap.weight * tap.weight
                beside[tap.before] += (1 - tap.weight) * tap.weight
            }
        }
        var shares = beside
        for i in 0..<last {
            shares[i] = beside[i] / diagonal[i]
            diagonal[i + 1] -= shares[i] * beside[i]
        }
        (self.taps, self.shares, self.beside, reciprocals) = (taps, shares, beside, diagonal.map { 1 / $0 })
    }

    /// Turns what `gather` summed into the changes c, in place; samples lie `stride` apart, and beside each of them
    /// `columns` values are treated alike.
    func solve(_ sums: UnsafeMutablePointer<Float>, stride: Int, columns: Int) {
        for i in 1..<max(count, 1) {
            let row = sums + i * stride, before = row - stride
            for x in 0..<columns { row[x] -= shares[i - 1] * before[x] }
        }
        for i in (0..<count).reversed() {
            let row = sums + i * stride
            if i + 1 < count {
                for x in 0..<columns { row[x] -= beside[i] * row[stride + x] }
            }
            for x in 0..<columns { row[x] *= reciprocals[i] }
        }
    }
}
