// Convolutions of many columns, which they take in parts, are the products that their definition says.
import Foundation
import Mirl
import MirlTestSupport
import MirlWeights
import Testing

@Suite struct WideTests {
    /// 500 channels, 1330 hidden ones, at 5x10 pixels.
    private func wide(density: Double) -> Checkpoint {
        var architecture = Architecture.tiny
        architecture.promptChannels[2] = 468
        return Checkpoint(architecture, density: density)
    }

    /// The maps that a network leaves, by name.
    private func maps(_ checkpoint: Checkpoint) throws -> [String: [Float]] {
        let model = try Model.open(packed: checkpoint.packed())
        let image = Planar(height: 40, width: 80, values: (0..<3 * 40 * 80).map { Float($0 * 37 % 101) / 101 })
        var maps: [String: [Float]] = [:]
        try image.withBuffer {
            try Session(model, threads: 2).trace($0) { name, values in maps[name] = values }
        }
        return maps
    }

    /// Rows of 10 terms come in one part, of 18 in two, of 150 and 500 in three.
    @Test(arguments: [0.02, 0.036, 0.3, 1]) func oneByOneConvolution(density: Double) throws {
        let checkpoint = wide(density: density), maps = try maps(checkpoint)
        let weights = try #require(checkpoint.tensors["reduce_noise_level3.weight"])
        let input = try #require(maps["noise_level3"]), output = try #require(maps["reduce_noise_level3"])
        #expect(weights.shape[0..<2] == [16, 500])
        try expect(output, near: Matrix(weights) * input)
    }

    /// x + project_out(gelu(a) * b), a and b from project_in(norm2(x)), where the depthwise convolution between them
    /// changes nothing, and neither does attention.
    @Test(arguments: [0.02, 0.1]) func feedForward(density: Double) throws {
        let block = "noise_level3"
        var checkpoint = wide(density: density)
        func replace(_ name: String, _ value: (Int) -> Float) {
            let tensor = checkpoint.tensors["\(block).\(name)"]!
            checkpoint.tensors["\(block).\(name)"] = .init(tensor.values.indices.map(value), shape: tensor.shape)
        }
        replace("attn.project_out.weight") { _ in 0 }
        replace("ffn.dwconv.weight") { $0 % 9 == 4 ? 1 : 0 }
        let output = try #require(try maps(checkpoint)[block])
        let weights = checkpoint.tensors
        replace("ffn.project_out.weight") { _ in 0 }
        let x = try #require(try maps(checkpoint)[block]).map(Double.init)

        let channels = 500, pixels = x.count / channels
        func vector(_ name: String) -> [Double] { weights["\(block).\(name)"]!.values.map(Double.init) }
        let gain = vector("norm2.body.weight"), bias = vector("norm2.body.bias")
        var normalized = x
        for pixel in 0..<pixels {
            let column = (0..<channels).map { x[$0 * pixels + pixel] }
            let mean = column.reduce(0, +) / Double(channels)
            let variance = column.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(channels)
            for c in 0..<channels {
                normalized[c * pixels + pixel] = (column[c] - mean) / (variance + 1e-5).squareRoot() * gain[c] + bias[c]
            }
        }
        let wide = Matrix(weights["\(block).ffn.project_in.weight"]!) * normalized
        let gated = (0..<wide.count / 2).map { i in
            wide[i] * 0.5 * (1 + erf(wide[i] / 2.0.squareRoot())) * wide[i + wide.count / 2]
        }
        let added = Matrix(weights["\(block).ffn.project_out.weight"]!) * gated
        #expect(added.map(abs).max()! > 0.01)
        try expect(output, near: zip(x, added).map(+))
    }

    private func expect(_ found: [Float], near expected: [Double]) throws {
        try #require(found.count == expected.count)
        let largest = expected.map(abs).max()!
        #expect(zip(found, expected).allSatisfy { abs(Double($0) - $1) < 1e-5 * largest })
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

private struct Matrix {
    let rows: Int
    let values: [Double]

    init(_ tensor: Checkpoint.Tensor) {
        rows = tensor.shape[0]
        values = tensor.values.map(Double.init)
    }

    /// The product with a map, channels x pixels.
    static func * (matrix: Matrix, map: [some BinaryFloatingPoint]) -> [Double] {
        let columns = matrix.values.count / matrix.rows, pixels = map.count / columns
        var product = [Double](repeating: 0, count: matrix.rows * pixels)
        for row in 0..<matrix.rows {
            for column in 0..<columns {
                let weight = matrix.values[row * columns + column]
                guard weight != 0 else { continue }
                for pixel in 0..<pixels { product[row * pixels + pixel] += weight * Double(map[column * pixels + pixel]) }
            }
        }
        return product
    }
}
