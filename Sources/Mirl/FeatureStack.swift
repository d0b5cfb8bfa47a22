import MirlKernels
import MirlWeights

/// Maps of one size whose channels count as one sequence: what a concatenation makes, without moving a value.
struct FeatureStack {
    let maps: [FeatureMap]
    let channels: Int
    let height: Int
    let width: Int

    init(_ maps: FeatureMap...) { self.init(maps) }

    init(_ maps: [FeatureMap]) {
        self.maps = maps
        channels = maps.reduce(0) { $0 + $1.channels }
        height = maps[0].height
        width = maps[0].width
    }

    /// Copies the pixels `columns` of row y to a tile, and fetches those of the next row.
    func copy(
        row y: Int, columns: Range<Int>, in memory: UnsafeMutablePointer<Float>, to tile: UnsafeMutablePointer<Float>,
        stride: Int, _ kernels: mirlk_kernels
    ) {
        var tile = tile
        for map in maps {
            kernels.copy(
                map.row(y, in: memory) + columns.lowerBound, map.channelStride, tile, stride, UInt32(map.channels),
                UInt32(columns.count), map.rowStride)
            tile += map.channels * stride
        }
    }

    /// Writes where the channels of row y begin, from a column on.
    func list(
        row y: Int, from column: Int, in memory: UnsafeMutablePointer<Float>,
        to list: UnsafeMutablePointer<UnsafePointer<Float>?>
    ) {
        var list = list
        for map in maps {
            var row = map.row(y, in: memory) + column
            for c in 0..<map.channels {
                list[c] = UnsafePointer(row)
                row += map.channelStride
            }
            list += map.channels
        }
    }

    /// All values, channels x height x width.
    func values(in memory: UnsafeMutablePointer<Float>) -> [Float] { maps.flatMap { $0.values(in: memory) } }
}

/// A convolution whose sums are added to a stack's maps: a product for each map.
struct StackProduct {
    private let stack: FeatureStack
    private let places: [(first: Int, place: ProductPlace)]

    init(_ convolution: Matrix, addingTo stack: FeatureStack, in shared: inout Scratch.Places) {
        self.stack = stack
        var places: [(first: Int, place: ProductPlace)] = [], first = 0
        for map in stack.maps {
            places.append((first, ProductPlace(convolution, rows: first..<first + map.channels, in: &shared)))
            first += map.channels
        }
        self.places = places
    }

    /// As `ProductPlace.prepare`, for tiles whose column c lies at `offset(c)`.
    @inline(__always)
    func prepare(_ run: Run, offset: (_ column: Int) -> Int?) -> [mirlk_product] {
        zip(places, stack.maps).map { part, map in
            part.place.prepare(
                run, keepingEmpty: false, out: { ($0 - part.first) * map.channelStride }, offset: { offset($1) })
        }
    }

    /// Adds the products of a tile to the pixels `columns` of row y.
    func apply(
        _ products: [mirlk_product], _ run: Run, _ tile: UnsafePointer<Float>, row y: Int, columns: Range<Int>
    ) {
        for (product, map) in zip(products, stack.maps) {
            product.apply(
                run, tile, into: map.row(y, in: run.memory) + columns.lowerBound, width: columns.count, adding: true)
        }
    }
}
