import MirlKernels

/// A sweep that changes the map it reads: what neighbours still need is kept before it is overwritten, the rows on
/// either side of each boundary between bands, and the last column of each strip.
struct InPlaceSweep {
    let sweep: Sweep
    private let savedRows: Int
    private let savedColumn: Int
    private let rowSize: Int

    /// `shared` is laid out once for all threads, `own` for each.
    init(_ sweep: Sweep, shared: inout Layout, own: inout Layout) {
        self.sweep = sweep
        rowSize = sweep.map.channels * sweep.map.channelStride
        savedRows = shared.take(2 * (sweep.bands.count - 1) * rowSize)
        savedColumn = own.take(sweep.tallestBand * sweep.map.channels)
    }

    /// To be called before any band is swept.
    func saveBoundaries(of run: Run, shared: UnsafeMutablePointer<Float>) {
        for (i, band) in sweep.bands.enumerated().dropFirst() {
            for side in 0..<2 {
                let row = sweep.map.row(band.lowerBound - 1 + side, in: run.memory)
                (shared + savedRows + (2 * (i - 1) + side) * rowSize).update(from: row, count: rowSize)
            }
        }
    }

    /// Copies a strip of row y, as it was before the sweep, with its neighbours to a tile. Strips of a band must
    /// come from left to right, each row of a strip once.
    func gather(
        y: Int, strip: Range<Int>, band index: Int, run: Run, shared: UnsafeMutablePointer<Float>,
        own: UnsafeMutablePointer<Float>, to tile: UnsafeMutablePointer<Float>
    ) {
        let band = sweep.bands[index]
        if y < band.lowerBound {
            sweep.gather(row: shared + savedRows + 2 * (index - 1) * rowSize, strip: strip, to: tile, run.kernels)
        } else if y >= band.upperBound {
            sweep.gather(row: shared + savedRows + (2 * index + 1) * rowSize, strip: strip, to: tile, run.kernels)
        } else {
            sweep.gather(row: sweep.map.row(y, in: run.memory), strip: strip, to: tile, run.kernels)
            let column = own + savedColumn + (y - band.lowerBound) * sweep.map.channels
            for c in 0..<sweep.map.channels {
                if strip.lowerBound > 0 { tile[c * sweep.stride] = column[c] }
                column[c] = tile[c * sweep.stride + strip.count]
            }
        }
    }
}
