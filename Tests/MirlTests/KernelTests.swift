// Every kernel of every instruction set computes what its definition says, and writes nothing else.
import Foundation
import Mirl
import MirlKernels
import MirlTestSupport
import Testing

/// Those that this processor has; the best again with factors in bf16, if it has that.
private nonisolated(unsafe) let tables = {
    let rounding = mirlk_bf16(Kernels.tables[0])
    return Kernels.tables + (rounding.rounds ? [rounding] : [])
}()
private let canary = Float(bitPattern: 0x7FC0_1234)
private let widths = [1, 3, 4, 7, 8, 15, 16, 17, 31, 43, 48, 63, 64, 65, 78, 80]
/// Floats between the channels of the tests' tiles.
private let pitch = Int(MIRLK_TILE) + 16

extension Double {
    fileprivate var squared: Double { self * self }
}

extension mirlk_kernels {
    /// Whether `gram` and `mix` round their factors to bf16.
    fileprivate var rounds: Bool {
        let exact = Kernels.tables[0]
        return !isSame(mix, exact.mix) && isSame(mix, mirlk_bf16(exact).mix)
    }

    /// A factor as `gram` and `mix` use it: in bf16 the nearest number whose last 16 bits are 0, of two the even one.
    fileprivate func factor(_ x: Float) -> Double {
        guard rounds else { return Double(x) }
        let bits = x.bitPattern
        return Double(Float(bitPattern: (bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF_0000))
    }
}

/// Nothing to fetch ahead of its use.
nonisolated(unsafe) private let nowhere = [UnsafePointer<Float>?](repeating: nil, count: 64)

@Suite struct KernelTests {
    var random = Random(seed: 7)

    mutating func floats(_ count: Int) -> [Float] { (0..<count).map { _ in Float.random(in: -1...1, using: &random) } }

    /// A tile of which only `width` pixels are numbers; what lies beyond them must never matter.
    mutating func tile(_ channels: Int, width: Int) -> [Float] {
        var tile = [Float](repeating: canary, count: channels * pitch + Int(MIRLK_SLACK))
        for c in 0..<channels {
            for x in 0..<width { tile[c * pitch + x] = Float.random(in: -1...1, using: &random) }
        }
        return tile
    }

    /// Whether `out` holds what `expected` says for each channel and pixel, within `tolerance`, and canaries elsewhere.
    func holds(
        _ out: [Float], _ channels: Int, _ width: Int, tolerance: Double, _ expected: (Int, Int) -> Double
    ) -> Bool {
        out.indices.allSatisfy { i in
            let (c, x) = (i / pitch, i % pitch)
            guard c < channels, x < width else { return out[i].bitPattern == canary.bitPattern }
            return abs(Double(out[i]) - expected(c, x)) <= tolerance
        }
    }

    @Test(arguments: tables.indices, [0, 0.03, 0.1, 0.5, 1]) mutating func products(table: Int, density: Double) {
        let rows = 13, columns = 21
        let weights = (0..<rows * columns).map { i in
            i / columns != 5 && Double.random(in: 0..<1, using: &random) < density
                ? Float.random(in: -1...1, using: &random) : 0
        }
        let byCount = (0..<rows).map { r in (r, (0..<columns).filter { weights[r * columns + $0] != 0 }) }
            .sorted { $0.1.count < $1.1.count }
        let matrix = SparseMatrix(
            byCount.map { row, used in
                used.map { mirlk_term(offset: Int32($0 * pitch), weight: weights[row * columns + $0]) }
            }, outs: byCount.map { Int32($0.0 * pitch) })
        for width in widths {
            let input = tile(columns, width: width), before = tile(rows, width: width)
            for adding in [false, true] {
                var out = before
                matrix.withProduct { tables[table].multiply($0, input, &out, UInt32(width), adding ? 1 : 0) }
                // 22 roundings of sums that stay below 22.
                #expect(
                    holds(out, rows, width, tolerance: 22 * 22 * 6e-8) { r, x in
                        (0..<columns).reduce(adding ? Double(before[r * pitch + x]) : 0) { sum, c in
                            let weight = Double(weights[r * columns + c])
                            return weight == 0 ? sum : sum + weight * Double(input[c * pitch + x])
                        }
                    }, "\(width) pixels")
            }
        }
    }

    /// The first of row r has r terms, the second 3; row 0 begins with the second.
    @Test(arguments: tables.indices, [0, 1] as [Int32]) mutating func rowsMayComeInParts(table: Int, adding: Int32) {
        let rows = 7, columns = rows + 3
        let weights = (0..<rows).map { floats($0 + 3) }
        func terms(_ row: Int, _ part: Range<Int>) -> [mirlk_term] {
            part.map { mirlk_term(offset: Int32($0 * pitch), weight: weights[row][$0]) }
        }
        let parts = (1..<rows).map { terms($0, 0..<$0) } + (0..<rows).map { terms($0, $0..<$0 + 3) }
        let matrix = SparseMatrix(parts, outs: (Array(1..<rows) + Array(0..<rows)).map { Int32($0 * pitch) })
        for width in widths {
            let input = tile(columns, width: width), before = tile(rows, width: width)
            var out = before
            matrix.withProduct { tables[table].multiply($0, input, &out, UInt32(width), adding) }
            #expect(
                holds(out, rows, width, tolerance: 12 * 12 * 6e-8) { r, x in
                    weights[r].indices.reduce(adding == 1 ? Double(before[r * pitch + x]) : 0) {
                        $0 + Double(weights[r][$1]) * Double(input[$1 * pitch + x])
                    }
                }, "\(width) pixels")
        }
    }

    /// What the output holds may be large beside the terms, each of which it would make coarse.
    @Test(arguments: tables.indices) mutating func productsAreAddedAsAWhole(table: Int) {
        let columns = 300, input = tile(columns, width: pitch), weights = floats(columns)
        let terms = (0..<columns).map { mirlk_term(offset: Int32($0 * pitch), weight: weights[$0] / 1000) }
        var out = [Float](repeating: 1000, count: pitch) + [Float](repeating: canary, count: Int(MIRLK_SLACK))
        SparseMatrix([terms], outs: [0]).withProduct { tables[table].multiply($0, input, &out, UInt32(pitch), 1) }
        // One rounding of 1000, and 300 of sums below 1.
        #expect(
            holds(out, 1, pitch, tolerance: 3.1e-5 + 300 * 6e-8) { _, x in
                terms.indices.reduce(1000) { $0 + Double(terms[$1].weight) * Double(input[$1 * pitch + x]) }
            })
    }

    @Test(arguments: tables.indices) mutating func layerNorm(table: Int) {
        let channels = 19, weight = floats(channels), bias = floats(channels)
        for width in widths {
            let before = tile(channels, width: width)
            var out = tile(channels, width: 0)
            before.withUnsafeBufferPointer { before in
                let list = (0..<channels).map { Optional(before.baseAddress! + $0 * pitch) }
                tables[table].normalize(list, &out, pitch, UInt32(channels), UInt32(width), weight, bias)
            }
            func normal(_ c: Int, _ x: Int) -> Double {
                let pixel = (0..<channels).map { Double(before[$0 * pitch + x]) }
                let mean = pixel.reduce(0, +) / Double(channels)
                let variance = pixel.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(channels)
                return (pixel[c] - mean) / (variance + 1e-5).squareRoot() * Double(weight[c]) + Double(bias[c])
            }
            #expect(holds(out, channels, width, tolerance: 2e-6, normal), "\(width) pixels")
        }
    }

    /// What the gate makes of each x; all of them are multiplied by 1.
    private mutating func gelu(_ xs: [Float], table: Int) -> [Float] {
        var results: [Float] = []
        let gate = SparseMatrix([[mirlk_term(offset: 0, weight: 1)]], outs: [0])
        let value = SparseMatrix([[mirlk_term(offset: Int32(pitch), weight: 1)]], outs: [0])
        for x in stride(from: 0, to: xs.count, by: pitch) {
            let part = xs[x..<min(x + pitch, xs.count)]
            let input = part + [Float](repeating: 0, count: pitch - part.count)
                + [Float](repeating: 1, count: pitch + Int(MIRLK_SLACK))
            var out = tile(1, width: 0)
            gate.withProduct { gate in
                value.withProduct {
                    tables[table].multiply_gated(gate, $0, Array(input), &out, UInt32(part.count), nowhere)
                }
            }
            results += out.prefix(part.count)
        }
        return results
    }

    @Test(arguments: tables.indices) mutating func geluIsWithinAMillionthOfTheExactForm(table: Int) {
        let edge: Float = 5.8  // where the polynomials end
        let large = Array(stride(from: Float(8), through: 1000, by: 0.375)) + [edge, edge.nextUp, edge.nextDown, 1e30]
        let xs = Array(stride(from: Float(-8), through: 8, by: 1 / 1024)) + large + large.map { -$0 }
        for (x, result) in zip(xs, gelu(xs, table: table)) {
            let exact = Double(x) * 0.5 * erfc(-Double(x) / 2.squareRoot())
            if abs(Double(result) - exact) > 1e-6 { Issue.record("gelu(\(x)) is \(result), not \(exact)") }
        }
    }

    /// The groups of gates and values begin and end at different rows.
    @Test(arguments: tables.indices) mutating func gatesOfAnyWidth(table: Int) {
        let columns = 12
        func matrix(_ counts: [Int]) -> [[mirlk_term]] {
            counts.map { count in
                (0..<count).map {
                    mirlk_term(offset: Int32($0 * pitch), weight: Float.random(in: -1...1, using: &random))
                }
            }
        }
        let gates = matrix([1, 1, 1, 2, 2, 5, 9, 9]), values = matrix([1, 3, 3, 3, 3, 3, 2, 12]), rows = gates.count
        let outs = gates.indices.map { Int32($0 * pitch) }
        let gate = SparseMatrix(gates, outs: outs), value = SparseMatrix(values, outs: outs)
        for width in widths {
            let input = tile(columns, width: width)
            var out = tile(rows, width: 0)
            gate.withProduct { gate in
                value.withProduct { tables[table].multiply_gated(gate, $0, input, &out, UInt32(width), nowhere) }
            }
            func sum(_ row: [mirlk_term], _ x: Int) -> Double {
                row.reduce(0) { $0 + Double($1.weight) * Double(input[Int($1.offset) + x]) }
            }
            // 9 roundings of sums below 9, times up to 12.
            #expect(
                holds(out, rows, width, tolerance: 12 * 9 * 9 * 6e-8) { r, x in
                    let gate = sum(gates[r], x)
                    return gate * 0.5 * erfc(-gate / 2.squareRoot()) * sum(values[r], x)
                }, "\(width) pixels")
        }
    }

    @Test(arguments: tables.indices) mutating func copies(table: Int) {
        for width in widths {
            let input = tile(7, width: width)
            var out = tile(7, width: 0)
            tables[table].copy(input, pitch, &out, pitch, 7, UInt32(width), pitch)
            #expect(holds(out, 7, width, tolerance: 0) { Double(input[$0 * pitch + $1]) }, "\(width) pixels")
        }
    }

    /// Channels 4 c + 2 dy + dx are pixel (2 x + dx, dy) of channel c, there and back.
    @Test mutating func shuffles() {
        let channels = 3
        for width in widths where 2 * width <= pitch {
            let input = tile(4 * channels, width: width), row = channels * pitch
            var lines = tile(2 * channels, width: 0)
            mirlk_shuffle(input, pitch, &lines, pitch, row, UInt32(channels), UInt32(width))
            #expect(
                holds(lines, 2 * channels, 2 * width, tolerance: 0) { line, x in
                    let (dy, c) = line.quotientAndRemainder(dividingBy: channels)
                    return Double(input[(4 * c + 2 * dy + x % 2) * pitch + x / 2])
                }, "\(width) pixels")
            var back = tile(4 * channels, width: 0)
            for dy in 0..<2 {
                lines.withUnsafeBufferPointer {
                    mirlk_unshuffle(
                        $0.baseAddress! + dy * row, pitch, &back, pitch, UInt32(dy), UInt32(channels), UInt32(width))
                }
            }
            #expect(
                holds(back, 4 * channels, width, tolerance: 0) { Double(input[$0 * pitch + $1]) }, "\(width) pixels")
        }
    }

    /// Columns and shares are arbitrary, the last column included, which has no right neighbour.
    @Test mutating func stretches() {
        let channels = 3, last = 20
        for width in widths {
            let above = tile(channels, width: last + 1), below = tile(channels, width: last + 1)
            let left = (0..<width).map { Int32($0 == width - 1 ? last : $0 * last / width) }
            let shares = (0..<width).map { _ in Float.random(in: 0...1, using: &random) }
            var out = tile(channels, width: 0)
            mirlk_stretch(
                above, below, 0.25, pitch, UInt32(last), left, shares, &out, pitch, UInt32(channels), UInt32(width))
            #expect(
                holds(out, channels, width, tolerance: 1e-6) { c, x in
                    let l = c * pitch + Int(left[x]), r = c * pitch + min(Int(left[x]) + 1, last)
                    func mixed(_ line: [Float]) -> Double {
                        Double(line[l]) * (1 - Double(shares[x])) + Double(line[r]) * Double(shares[x])
                    }
                    return 0.75 * mixed(above) + 0.25 * mixed(below)
                }, "\(width) pixels")
        }
    }

    @Test(arguments: tables.indices, [(1, 1), (3, 3), (4, 5), (16, 16), (17, 3), (2, 17), (48, 48), (49, 50), (15, 33)])
    mutating func channelProducts(table: Int, count: (q: Int, k: Int)) {
        let squareSize = Int(MIRLK_SQUARES)
        for width in widths {
            let q = tile(count.q, width: width), k = tile(count.k, width: width)
            let start = floats(count.q * count.k)
            var gram = start + [Float](repeating: canary, count: Int(MIRLK_SLACK))
            func squares(_ rows: Int) -> [Float] {
                [Float](repeating: 0, count: rows * squareSize) + [Float](repeating: canary, count: Int(MIRLK_SLACK))
            }
            var qSquares = squares(count.q), kSquares = squares(count.k)
            let roomSize = Int(MIRLK_TILE) * (count.q + count.k + 16), kernels = tables[table]
            var room = [Float](repeating: canary, count: roomSize + Int(MIRLK_SLACK))
            kernels.gram(
                q, UInt32(count.q), k, UInt32(count.k), pitch, UInt32(width), &gram, &qSquares, &kSquares, &room,
                nowhere)
            #expect(room.dropFirst(roomSize).allSatisfy { $0.bitPattern == canary.bitPattern })
            for i in 0..<count.q {
                for j in 0..<count.k {
                    let exact = (0..<width).reduce(Double(start[i * count.k + j])) {
                        $0 + kernels.factor(q[i * pitch + $1]) * kernels.factor(k[j * pitch + $1])
                    }
                    #expect(abs(Double(gram[i * count.k + j]) - exact) < 1e-4)
                }
            }
            for (squares, rows, count) in [(qSquares, q, count.q), (kSquares, k, count.k)] {
                for i in 0..<count {
                    let sum = squares[i * squareSize..<(i + 1) * squareSize].reduce(0) { $0 + Double($1) }
                    let exact = (0..<width).reduce(0.0) { $0 + Double(rows[i * pitch + $1]).squared }
                    #expect(abs(sum - exact) < 1e-4)
                }
                #expect(squares.dropFirst(count * squareSize).allSatisfy { $0.bitPattern == canary.bitPattern })
            }
            #expect(gram.dropFirst(count.q * count.k).allSatisfy { $0.bitPattern == canary.bitPattern })
        }
    }

    @Test(arguments: tables.indices, [(1, 1), (3, 3), (6, 5), (16, 16), (17, 2), (5, 17), (48, 48), (4, 0)])
    mutating func mixtures(table: Int, count: (rows: Int, channels: Int)) {
        let (rows, channels) = count, weights = floats(rows * channels), kernels = tables[table]
        var prepared = weights + [canary]
        kernels.prepare_mix(&prepared, UInt32(rows), UInt32(channels))
        #expect(prepared.last!.bitPattern == canary.bitPattern)
        for width in widths {
            let input = tile(channels, width: width), roomSize = Int(MIRLK_TILE) / 2 * (channels + 1)
            var out = tile(rows, width: 0)
            var room = [Float](repeating: canary, count: roomSize + Int(MIRLK_SLACK))
            kernels.mix(
                prepared, UInt32(rows), UInt32(channels), input, pitch, &out, pitch, UInt32(width), &room, nowhere)
            #expect(room.dropFirst(roomSize).allSatisfy { $0.bitPattern == canary.bitPattern })
            #expect(
                holds(out, rows, width, tolerance: 1e-4) { i, x in
                    (0..<channels).reduce(0) {
                        $0 + kernels.factor(weights[i * channels + $1]) * kernels.factor(input[$1 * pitch + x])
                    }
                }, "\(width) pixels")
        }
    }

    @Test(arguments: tables.indices) func everyHalfIsDecodedExactly(table: Int) {
        let halves = (UInt16.min...UInt16.max).filter { !Float16(bitPattern: $0).isNaN }
        for count in [1, 7, 33, halves.count] {
            var out = [Float](repeating: canary, count: count + 1)
            tables[table].decode_half(halves, &out, count)
            #expect(zip(out, halves.prefix(count)).allSatisfy { $0 == Float(Float16(bitPattern: $1)) })
            #expect(out[count].bitPattern == canary.bitPattern)
        }
    }
}
