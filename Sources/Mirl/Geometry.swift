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
    /// Floats from one channel of a tile to the next: a strip, its neighbours, and padding to whole vectors.
    let stride: Int

    /// Strips of one even width, so that pixel unshuffling never splits a pair; the last is what is left.
    init(width: Int) {
        let even = (width + 1) / 2 * 2
        // Vectors that a layer computes for a strip with and without its neighbours, and what it takes to begin a row.
        func cost(_ count: Int) -> Int { count == 0 ? 0 : (count + 2 + 15) / 16 + (count + 15) / 16 + 1 }
        func total(_ count: Int) -> Int { even / count * cost(count) + cost(even % count) }
        let widest = Swift.stride(from: min(even, Int(MIRLK_TILE)), to: 0, by: -2).min { total($0) < total($1) }!
        ranges = Swift.stride(from: 0, to: width, by: widest).map { $0..<min(width, $0 + widest) }
        self.stride = (widest + 2 + 15) / 16 * 16
    }
}
