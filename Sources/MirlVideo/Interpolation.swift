/// Linear interpolation of chroma along one axis, and its transpose, which gathers what each chroma sample answers for.
struct Interpolation {
    /// For every pixel the chroma sample before it and the one after it, with the weight of the latter.
    struct Tap {
        let before, after: Int
        let weight: Float

        func interpolate(_ samples: UnsafeMutablePointer<Float>) -> Float {
            samples[before] + weight * (samples[after] - samples[before])
        }

        /// Adds the share of `value` to each of the two samples, which lie `stride` apart from their neighbours.
        func gather(_ value: Float, in samples: UnsafeMutablePointer<Float>, _ stride: Int) {
            samples[before * stride] += (1 - weight) * value
            samples[after * stride] += weight * value
        }
    }

    let taps: [Tap]
    /// For every chroma sample the sum of its weights over all pixels.
    let sums: [Float]

    init(_ axis: ChromaAxis, along pixels: Int) {
        let last = axis.count(along: pixels) - 1
        taps = (0..<pixels).map { pixel in
            let place = (Float(pixel) - axis.offset) / Float(axis.factor)
            let before = place.rounded(.down)
            return Tap(before: max(Int(before), 0), after: min(Int(before) + 1, last), weight: place - before)
        }
        var sums = [Float](repeating: 0, count: last + 1)
        for tap in taps {
            sums[tap.before] += 1 - tap.weight
            sums[tap.after] += tap.weight
        }
        self.sums = sums
    }
}
