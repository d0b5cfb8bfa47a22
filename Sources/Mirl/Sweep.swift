import MirlKernels

/// How a layer with 3x3 neighbourhoods passes over a map: threads own bands of rows and go down one strip of columns
/// after another, keeping three lines of what they make from the input in a ring, so that wide hidden maps never exist.
struct Sweep {
    let map: FeatureStack
    let strips: Strips
    let bands: [Range<Int>]
    /// Channels of a line of the ring.
    let lineChannels: Int

    var stride: Int { strips.stride }
    var lineSize: Int { lineChannels * stride }
    var ringSize: Int { 3 * lineSize + strips.lead }
    var tallestBand: Int { bands.map(\.count).max() ?? 0 }

    /// Calls `produce` to fill the line of each row that a band needs, and `consume` for each row of the band, once
    /// its line and both neighbours are there; returns early once the run is cancelled. A tile's column `margin` is the
    /// strip's first; lines outside the map are zero.
    @inline(__always)
    func pass(
        _ run: Run, band: Range<Int>, ring: UnsafeMutablePointer<Float>,
        produce: (_ y: Int, _ strip: Range<Int>, _ line: UnsafeMutablePointer<Float>) -> Void,
        consume: (_ y: Int, _ strip: Range<Int>) -> Void
    ) {
        if strips.lead > 0 { clearNeighbours(in: ring) }
        for strip in strips.ranges {
            for y in band.lowerBound - 1...band.upperBound {
                guard run.goesOn() else { return }
                let line = ring + slot(y) * lineSize + strips.lead
                if map.rows.contains(y) {
                    produce(y, strip, line)
                } else {
                    line.update(repeating: 0, count: lineSize)
                }
                if y > band.lowerBound { consume(y - 1, strip) }
            }
        }
    }

    private func slot(_ y: Int) -> Int { (y + 3) % 3 }

    /// Columns of a strip that are computed.
    func computed(_ strip: Range<Int>) -> Int { strip.count + 2 * strips.margin }

    /// Zeroes what is read as the neighbours of whole rows.
    private func clearNeighbours(in ring: UnsafeMutablePointer<Float>) {
        for channel in 0..<3 * lineChannels {
            let line = ring + channel * stride
            line.update(repeating: 0, count: strips.lead)
            (line + strips.lead + map.width).update(repeating: 0, count: stride - strips.lead - map.width)
        }
        (ring + 3 * lineSize).update(repeating: 0, count: strips.lead)
    }

    /// Zeroes the columns of a tile that lie outside the map.
    func clearEdges(of tile: UnsafeMutablePointer<Float>, strip: Range<Int>) {
        guard strips.margin > 0 else { return }
        if strip.lowerBound == 0 { clear(column: 0, of: tile) }
        if strip.upperBound == map.width { clear(column: strip.count + 1, of: tile) }
    }

    private func clear(column: Int, of tile: UnsafeMutablePointer<Float>) {
        for c in 0..<map.channels { tile[c * stride + column] = 0 }
    }

    /// Copies a strip of row y and its neighbours in the row to a tile.
    func gather(
        row y: Int, strip: Range<Int>, in memory: UnsafeMutablePointer<Float>, to tile: UnsafeMutablePointer<Float>,
        _ kernels: mirlk_kernels
    ) {
        let columns = neighbourhood(strip)
        map.copy(
            row: y, columns: columns, in: memory, to: tile + column(columns.lowerBound, in: strip),
            stride: stride, kernels)
    }

    /// LayerNorm of a strip of row y of `map`, this sweep's or another of its width, and of its neighbours in the row,
    /// to a tile; `list` has room for the addresses of its channels.
    func normalize(
        _ map: FeatureStack, row y: Int, strip: Range<Int>, in memory: UnsafeMutablePointer<Float>,
        to tile: UnsafeMutablePointer<Float>, by norm: (weight: [Float], bias: [Float]),
        list: UnsafeMutablePointer<UnsafePointer<Float>?>, _ kernels: mirlk_kernels
    ) {
        let columns = neighbourhood(strip)
        map.list(row: y, from: columns.lowerBound, in: memory, to: list)
        kernels.normalize(
            list, tile + column(columns.lowerBound, in: strip), stride, UInt32(map.channels),
            UInt32(columns.count), norm.weight, norm.bias)
    }

    /// The column of a strip's tile where a column of the map lies.
    func column(_ x: Int, in strip: Range<Int>) -> Int { x - strip.lowerBound + strips.margin }

    /// A strip with its neighbours inside the map.
    func neighbourhood(_ strip: Range<Int>) -> Range<Int> {
        max(strip.lowerBound - 1, 0)..<min(strip.upperBound + 1, map.width)
    }

    /// Lists where the row begins that a band's pass gathers after row y has been consumed; see `mirlk_kernels`.
    func listAhead(
        of y: Int, strip: Range<Int>, in memory: UnsafeMutablePointer<Float>,
        to list: UnsafeMutablePointer<UnsafePointer<Float>?>
    ) {
        map.list(row: min(y + 2, map.height - 1), from: max(strip.lowerBound - 1, 0), in: memory, to: list)
    }

    /// Where in the ring the neighbour `tap` = 3 dy + dx of a strip's first pixel lies, in channel 0, when the centre is
    /// a row of phase 0.
    @inline(__always)
    func place(tap: Int) -> Int { (tap / 3 + 2) % 3 * lineSize + strips.lead + strips.margin - 1 + tap % 3 }

    /// What differs between products with the lines: rows whose lines lie in the same order share a phase, 0 to 2.
    func phase(_ y: Int) -> Int { y % 3 }
}

extension FeatureStack {
    var rows: Range<Int> { 0..<height }
}

extension UnsafeMutablePointer<Float> {
    /// The same memory as addresses, which take the room of two floats each.
    var addresses: UnsafeMutablePointer<UnsafePointer<Float>?> {
        UnsafeMutableRawPointer(self).assumingMemoryBound(to: UnsafePointer<Float>?.self)
    }

    /// The same memory as indices, which take the room of as many floats.
    var indices: UnsafeMutablePointer<Int32> {
        UnsafeMutableRawPointer(self).assumingMemoryBound(to: Int32.self)
    }
}
