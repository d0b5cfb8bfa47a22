import MirlKernels

/// How a map is cut into work: bands of rows for threads, strips of columns for the caches.
enum Geometry {
    static let maximumSide = 65535

    /// `height` rows as `count` bands of nearly equal size.
    static func bands(_ height: Int, count: Int) -> [Range<Int>] {
        (0..<count).map { height * $0 / count..<height * ($0 + 1) / count }
    }

    /// Bands for sweeps that sum over pixels: fixed by the height alone, so that sums never depend on the threads.
    static func reducingBands(_ height: Int) -> [Range<Int>] {
        bands(height, count: min(16, (height + 15) / 16))
    }

    /// Bands for all other sweeps: enough to keep the threads evenly busy, few since each costs two more lines.
    static func bands(_ height: Int, threads: Int) -> [Range<Int>] {
        let most = (height + 7) / 8
        let rounds = (height + 64 * threads - 1) / (64 * threads)
        return bands(height, count: min(most, threads * rounds))
    }
}

/// A row's columns in strips that, with their two neighbours, fit a tile.
struct Strips {
    let ranges: [Range<Int>]
    /// Columns on either side of a strip that are computed with it: 1, or 0 if one strip is the whole row, as the
    /// neighbours of that are zero.
    let margin: Int
    /// Zeros before each channel of a ring's line: a vector, if one strip is the whole row, otherwise none.
    let lead: Int
    /// Floats from one channel of a tile to the next: the lead, a strip, its margins, and padding to whole vectors.
    let stride: Int

    /// Strips of one even width, so that pixel unshuffling never splits a pair; the last is what is left, or takes it up.
    init(width: Int) {
        guard width > Int(MIRLK_TILE) else {
            ranges = [0..<width]
            (margin, lead) = (0, 16)
            stride = lead + (width + 15) / 16 * 16
            return
        }
        (margin, lead) = (1, 0)
        let even = (width + 1) / 2 * 2
        // Vectors that a layer computes for a strip with and without its neighbours, and what it takes to begin a row.
        func cost(_ count: Int) -> Int { (count + 2 + 15) / 16 + (count + 15) / 16 + 2 }
        var best = (total: Int.max, count: 0, last: 0)
        for count in Swift.stride(from: Int(MIRLK_TILE) - 2, to: 0, by: -2) {
            for last in [even % count, even % count + count] where last > 0 && last <= Int(MIRLK_TILE) - 2 {
                let total = cost(last) + (even - last) / count * cost(count)
                if total < best.total { best = (total, count, last) }
            }
        }
        ranges = Swift.stride(from: 0, to: even - best.last, by: best.count).map { $0..<$0 + best.count }
            + [even - best.last..<width]
        stride = (max(best.count, best.last) + 2 + 15) / 16 * 16
    }
}
