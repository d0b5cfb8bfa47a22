import MirlKernels
import MirlTestSupport
import Testing

/// The largest column of rows' last cells is found, of whatever lengths cells are.
struct CellTests {
    @Test(arguments: 1...4) func theLargestColumnInLastCells(cells: Int) {
        var random = Random(seed: UInt64(cells))
        for _ in 0..<300 {
            let rows = Int.random(in: 1...9, using: &random), most = [3, 17, 40, 256].randomElement(using: &random)!
            var starts: [UInt32] = [0]
            for _ in 0..<rows * cells { starts.append(starts.last! + UInt32.random(in: 0...UInt32(most), using: &random)) }
            let before = [UInt8](repeating: 255, count: 16)
            let columns = (0..<starts.last!).map { _ in
                // Few are large, so that one that is left out or does not belong shows.
                UInt8.random(in: 0...255, using: &random) & UInt8.random(in: 0...255, using: &random)
            }
            let last = (1...rows).flatMap { Int(starts[$0 * cells - 1])..<Int(starts[$0 * cells]) }
            let found = (before + columns).withUnsafeBufferPointer {
                mirlk_largest_in_last_cells($0.baseAddress! + before.count, starts, rows, cells)
            }
            #expect(found == last.map { columns[$0] }.max() ?? 0)
        }
    }
}
