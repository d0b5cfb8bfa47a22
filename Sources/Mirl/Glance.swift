/// The places of an image at which a session looks to judge what is wrong with it: cheaper by far than the whole where
/// that is large, and enough, since noise, rain and haze seldom spare a place.
package struct Glance {
    /// The most pixels along each side of a place.
    static let side = 256
    /// The most places along each side of an image.
    private static let most = 3

    /// Places of one size, in a grid: as many as fit into the image beside each other, evenly spread.
    package let columns, rows: [Range<Int>]

    package init(width: Int, height: Int) {
        columns = Glance.places(along: width)
        rows = Glance.places(along: height)
    }

    var width: Int { columns[0].count }
    var height: Int { rows[0].count }

    private static func places(along length: Int) -> [Range<Int>] {
        let side = min(side, length), count = min(most, length / side)
        return (0..<count).map { i in
            let middle = length * (2 * i + 1) / (2 * count), start = min(middle - side / 2, length - side)
            return start..<start + side
        }
    }
}
