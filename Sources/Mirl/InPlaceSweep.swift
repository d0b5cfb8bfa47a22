/// A sweep that changes the map it reads: what neighbours still need is kept before it is overwritten, the rows on
/// either side of each boundary between bands, and the last column of each strip, normalized.
struct InPlaceSweep {
    let sweep: Sweep
    /// The rows on either side of each boundary, in the scratch memory that the threads share.
    private let saved: FeatureStack
    private let savedColumn: Int

    init(_ sweep: Sweep, in scratch: inout Scratch) {
        self.sweep = sweep
        var saved: [FeatureMap] = []
        for map in sweep.map.maps {
            var rows = FeatureMap(
                offset: 0, channels: map.channels, height: 2 * (sweep.bands.count - 1), width: map.width)
            rows.offset = scratch.shared.take(rows.count)
            saved.append(rows)
        }
        self.saved = FeatureStack(saved)
        savedColumn = scratch.own.take(sweep.tallestBand * sweep.map.channels)
    }

    /// To be called before any band is swept.
    func saveBoundaries(of run: Run) {
        for (i, band) in sweep.bands.enumerated().dropFirst() where run.goesOn() {
            for (map, saved) in zip(sweep.map.maps, saved.maps) {
                for side in 0..<2 {
                    let row = map.row(band.lowerBound - 1 + side, in: run.memory)
                    let end = (map.channels - 1) * map.channelStride + map.width
                    saved.row(2 * (i - 1) + side, in: run.scratch).update(from: row, count: end)
                }
            }
        }
    }

    /// LayerNorm of a strip of row y, as it was before the sweep, with its neighbours, to a tile. Strips of a band must
    /// come from left to right, each row of a strip once.
    func normalize(
        y: Int, strip: Range<Int>, band index: Int, run: Run, own: UnsafeMutablePointer<Float>,
        to tile: UnsafeMutablePointer<Float>, by norm: (weight: [Float], bias: [Float]),
        list: UnsafeMutablePointer<UnsafePointer<Float>?>
    ) {
        let band = sweep.bands[index]
        func normalize(_ map: FeatureStack, row: Int, in memory: UnsafeMutablePointer<Float>) {
            sweep.normalize(map, row: row, strip: strip, in: memory, to: tile, by: norm, list: list, run.kernels)
        }
        if y < band.lowerBound {
            normalize(saved, row: 2 * (index - 1), in: run.scratch)
        } else if y >= band.upperBound {
            normalize(saved, row: 2 * index + 1, in: run.scratch)
        } else {
            normalize(sweep.map, row: y, in: run.memory)
            let column = own + savedColumn + (y - band.lowerBound) * sweep.map.channels
            for c in 0..<(sweep.strips.margin > 0 ? sweep.map.channels : 0) {
                if strip.lowerBound > 0 { tile[c * sweep.stride] = column[c] }
                column[c] = tile[c * sweep.stride + strip.count]
            }
        }
        sweep.clearEdges(of: tile, strip: strip)
    }
}
