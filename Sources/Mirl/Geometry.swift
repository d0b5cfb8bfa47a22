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

/// A row's columns in strips that fit a tile together with their two neighbours.
struct Strips {
    let ranges: [Range<Int>]
    /// Floats from one channel of a tile to the next: a strip, its neighbours, and padding to whole vectors.
    let stride: Int

    /// Even boundaries, so that pixel unshuffling never splits a pair.
    init(width: Int) {
        let tile = 64, pairs = (width + 1) / 2
        let fewest = (width + tile - 3) / (tile - 2)
        func padded(_ count: Int) -> Int { ((pairs + count - 1) / count * 2 + 2 + 15) / 16 * 16 }
        let candidates = (fewest...fewest + 2).filter { $0 <= pairs && padded($0) <= tile }
        let count = candidates.min { $0 * padded($0) < $1 * padded($1) } ?? pairs
        ranges = (0..<count).map { min(width, pairs * $0 / count * 2)..<min(width, pairs * ($0 + 1) / count * 2) }
        stride = padded(count)
    }
}
