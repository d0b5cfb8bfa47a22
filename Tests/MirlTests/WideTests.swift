// A convolution of many columns, which it takes in parts, is the product that its definition says.
import Mirl
import MirlTestSupport
import MirlWeights
import Testing

@Suite struct WideTests {
    /// 10 terms a row are too few for two parts; 25, 150 and 500 make two and three.
    @Test(arguments: [0.02, 0.05, 0.3, 1]) func aWideConvolutionIsItsProduct(density: Double) throws {
        var architecture = Architecture.tiny
        architecture.promptChannels[2] = 468
        let name = "reduce_noise_level3", checkpoint = Checkpoint(architecture, density: density)
        let weights = try #require(checkpoint.tensors["\(name).weight"])
        let rows = weights.shape[0], columns = weights.shape[1], values = weights.values
        #expect((rows, columns) == (16, 500))
        var maps: [String: [Float]] = [:]
        let model = try checkpoint.packed().withUnsafeBytes { bytes throws in try Model.open(copying: bytes) }
        let image = Planar(height: 40, width: 80, values: (0..<3 * 40 * 80).map { Float($0 * 37 % 101) / 101 })
        try image.withBuffer {
            try Session(model, threads: 2).trace($0) { name, values in maps[name] = values }
        }
        let input = try #require(maps["noise_level3"]), output = try #require(maps[name])
        let pixels = input.count / columns, largest = input.map(abs).max()!
        for i in output.indices {
            let (row, pixel) = (i / pixels, i % pixels)
            let sum = (0..<columns).reduce(0.0) {
                $0 + Double(values[row * columns + $1]) * Double(input[$1 * pixels + pixel])
            }
            #expect(abs(Double(output[i]) - sum) < 1e-4 * Double(largest))
        }
    }

    /// Parts of 192 columns or fewer, of 7 terms a row or more.
    @Test func partsAreAsManyAsPay() {
        #expect(ColumnParts.ends(columns: 192, rows: 10, terms: 1920) == [192])
        #expect(ColumnParts.ends(columns: 193, rows: 10, terms: 1930) == [96, 193])
        #expect(ColumnParts.ends(columns: 1021, rows: 384, terms: 384 * 30) == [255, 510, 765, 1021])
        #expect(ColumnParts.ends(columns: 1021, rows: 384, terms: 384 * 102).count == 6)
        #expect(ColumnParts.ends(columns: 1000, rows: 1, terms: 0) == [1000])
    }
}
