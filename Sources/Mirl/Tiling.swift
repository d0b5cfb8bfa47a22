/// An image cut into tiles of one size that overlap, for images whose scratch memory would be too much.
///
/// Each tile is restored by itself, as if it were the whole image, and fades into its neighbours, so that its border,
/// where it sees least, counts least.
struct Tiling {
    /// Where a tile lies along one side of the image, and what each of its pixels counts; over all tiles that cover a
    /// pixel this adds up to 1.
    struct Span {
        let range: Range<Int>
        let weights: [Float]
    }

    let columns, rows: [Span]

    /// The least overlap of neighbours, and over how many pixels they fade.
    static let overlap = 64
    /// Smaller tiles would be all border.
    static let smallestSide = 4 * overlap

    /// Tiles of at most `side` x `side` pixels.
    init(width: Int, height: Int, side: Int) {
        columns = Tiling.spans(width, side)
        rows = Tiling.spans(height, side)
    }

    /// How many tiles there are.
    var count: Int { columns.count * rows.count }
    var tileWidth: Int { columns[0].range.count }
    var tileHeight: Int { rows[0].range.count }

    private static func spans(_ length: Int, _ side: Int) -> [Span] {
        guard length > side else { return [Span(range: 0..<length, weights: [Float](repeating: 1, count: length))] }
        let count = (length - overlap + side - overlap - 1) / (side - overlap)
        let starts = (0..<count).map { (length - side) * $0 / (count - 1) }
        /// Fades towards the sides at which there are neighbours.
        func weight(_ start: Int, _ x: Int) -> Float {
            let left = start == 0 ? overlap : x - start + 1
            let right = start + side == length ? overlap : start + side - x
            return Float(min(overlap, left, right)) / Float(overlap)
        }
        var sums = [Float](repeating: 0, count: length)
        for start in starts {
            for x in start..<start + side { sums[x] += weight(start, x) }
        }
        return starts.map { start in
            Span(range: start..<start + side, weights: (start..<start + side).map { weight(start, $0) / sums[$0] })
        }
    }
}
