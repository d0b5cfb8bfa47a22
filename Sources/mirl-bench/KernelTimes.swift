import ArgumentParser
import Mirl
import MirlKernels
import MirlTestSupport

/// The speed of each kernel on the tiles of the paper's network, by one thread, against the machine's peak.
struct KernelTimes: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kernels",
        abstract: "Measure each kernel on the network's shapes, by one thread.",
        discussion: """
            Shares are of the highest fp32 multiply-add rate that the machine reaches in registers, at any vector width.
            """)

    @Option(help: "The kernels of this instruction set, by default the best: \(Kernels.names.joined(separator: ", ")).")
    var kernels = Kernels.names[0]

    func validate() throws {
        guard Kernels.names.contains(kernels) else { throw ValidationError("\(kernels): not on this processor") }
    }

    func run() throws {
        let table = try KernelTable(Kernels.named(kernels)!)
        let arithmetic = mirlk_enter_arithmetic()
        defer { mirlk_leave_arithmetic(arithmetic) }
        for density in [0.03, 0.1, 0.5, 1] {
            for channels in levels {
                table.product("qkv", rows: 3 * channels, columns: channels, density)
                table.product("project_in", rows: 2 * hidden(channels), columns: channels, density)
                table.product("project_out", rows: channels, columns: hidden(channels), density)
            }
            table.convolution("down1_2", rows: 24, channels: 48, density)
            table.convolution("up4_3", rows: 384, channels: 192, density)
        }
        for density in [0.31, 1] {
            for channels in levels { table.depthwise(channels: 3 * channels, density) }
        }
        for channels in [40, 48, 80, 96, 176] {  // of a head
            table.gram(channels: channels)
            table.mix(channels: channels)
        }
        for channels in levels {
            table.normalize(channels: channels)
            for density in [0.31, 1] { table.gated(channels: hidden(channels), density) }
        }
        table.copy()
    }

    /// Channels of the blocks of levels 1 to 4, and of the block that mixes the third prompt in.
    private var levels: [Int] { [48, 96, 192, 384, 704] }
    private func hidden(_ channels: Int) -> Int { Int(2.66 * Double(channels)) }
}

private let pitch = 64

/// Nothing to fetch ahead of its use.
nonisolated(unsafe) private let nowhere = [UnsafePointer<Float>?](repeating: nil, count: 2048)

/// Tiles of so many channels as the engine has them, at the start of a cache line: random floats, none denormal.
private final class Tile {
    let floats: UnsafeMutablePointer<Float>

    init(_ channels: Int) {
        var random = Random(seed: 1)
        let count = channels * pitch + Int(MIRLK_SLACK)
        floats = UnsafeMutableRawPointer.allocate(byteCount: 4 * count, alignment: 4096)
            .bindMemory(to: Float.self, capacity: count)
        for i in 0..<count { floats[i] = Float.random(in: 0.5...1, using: &random) }
    }

    deinit { floats.deallocate() }
}

private struct KernelTable {
    let kernels: mirlk_kernels
    private let table: Table
    private let peak: Double

    init(_ kernels: mirlk_kernels) throws {
        self.kernels = kernels
        peak = try vectorWidths.map { try mirl_bench.peak(lanes: $0) }.max() ?? .nan
        table = Table("kernel", "shape", "density_%", "rate", "unit", "share_%")
        table.row("peak", "-", "-", peak / 1e9, "GFLOP/s", 100.0)
    }

    private func show(
        _ kernel: String, _ shape: String, density: Double? = nil, operations: Double, _ seconds: Double
    ) {
        let rate = operations / seconds
        table.row(
            kernel, shape, density.map { "\(Int(($0 * 100).rounded()))" } ?? "-", rate / 1e9, "GFLOP/s",
            100 * rate / peak)
    }

    func product(_ name: String, rows: Int, columns: Int, _ density: Double) {
        multiply(name, "\(rows)x\(columns)", rows: rows, inputs: columns, density) { _ in
            (0..<columns).map { $0 * pitch }
        }
    }

    func convolution(_ name: String, rows: Int, channels: Int, _ density: Double) {
        multiply(name, "\(rows)x\(channels)x3x3", rows: rows, inputs: 3 * channels, density) { _ in
            (0..<channels).flatMap { channel in taps(channel, of: channels) }
        }
    }

    func depthwise(channels: Int, _ density: Double) {
        multiply("depthwise", "\(channels)x3x3", rows: channels, inputs: 3 * channels, density) { row in
            taps(row, of: channels)
        }
    }

    /// Where the neighbours of a channel's first pixel lie in three lines of so many channels.
    private func taps(_ channel: Int, of channels: Int) -> [Int] {
        (0..<9).map { ($0 / 3 * channels + channel) * pitch + $0 % 3 }
    }

    /// Times a matrix, a share of which is not zero; `places` are where the inputs of a row's columns lie.
    private func multiply(
        _ name: String, _ shape: String, rows: Int, inputs: Int, _ density: Double, places: (Int) -> [Int]
    ) {
        var random = Random(seed: 1)
        let matrix = SparseMatrix(rows: rows, density, &random, places: places)
        let input = Tile(inputs), output = Tile(rows)
        let seconds = matrix.withProduct { product in
            shortest { kernels.multiply(product, input.floats, output.floats, UInt32(pitch), 0) }
        }
        show(name, shape, density: density, operations: 2 * Double(matrix.count * pitch), seconds)
    }

    func gram(channels: Int) {
        let q = Tile(channels), k = Tile(channels), gram = Tile(channels * channels / pitch + 1)
        let squares = Int(MIRLK_SQUARES) * channels / pitch + 1, room = Tile(2 * channels + 16)
        let qSquares = Tile(squares), kSquares = Tile(squares)
        let seconds = shortest {
            kernels.gram(
                q.floats, UInt32(channels), k.floats, UInt32(channels), pitch, UInt32(pitch), gram.floats,
                qSquares.floats, kSquares.floats, room.floats, nowhere)
        }
        show("gram", "\(channels)x\(channels)", operations: 2 * Double(channels * channels * pitch), seconds)
    }

    func mix(channels: Int) {
        let input = Tile(channels), output = Tile(channels), room = Tile(channels)
        let weights = [Float](repeating: 0.01, count: channels * channels)
        let seconds = shortest {
            kernels.mix(
                weights, UInt32(channels), UInt32(channels), input.floats, pitch, output.floats, pitch, UInt32(pitch),
                room.floats, nowhere)
        }
        show("mix", "\(channels)x\(channels)", operations: 2 * Double(channels * channels * pitch), seconds)
    }

    func normalize(channels: Int) {
        let weight = [Float](repeating: 1, count: channels), bias = weight
        let input = Tile(channels), output = Tile(channels)
        let list = (0..<channels).map { Optional(UnsafePointer(input.floats + $0 * pitch)) }
        let seconds = shortest {
            kernels.normalize(list, output.floats, pitch, UInt32(channels), UInt32(pitch), weight, bias)
        }
        table.row("normalize", "\(channels)", "-", Double(channels * pitch) / seconds / 1e9, "Gvalue/s", "-")
    }

    /// The depthwise convolutions of so many gates and values, and the gates.
    func gated(channels: Int, _ density: Double) {
        var random = Random(seed: 1)
        func matrix(first: Int) -> SparseMatrix {
            SparseMatrix(rows: channels, density, &random, keepingEmpty: true) { taps(first + $0, of: 2 * channels) }
        }
        let gate = matrix(first: 0), value = matrix(first: channels)
        let input = Tile(6 * channels), output = Tile(channels)
        let seconds = gate.withProduct { gate in
            value.withProduct { value in
                shortest { kernels.multiply_gated(gate, value, input.floats, output.floats, UInt32(pitch), nowhere) }
            }
        }
        table.row(
            "depthwise_gated", "\(channels)", "\(Int((density * 100).rounded()))",
            Double(channels * pitch) / seconds / 1e9, "Gvalue/s", "-")
    }

    /// Tile after tile from a map that no cache holds.
    func copy() {
        let channels = 48, width = 1024, rows = 512, row = channels * width
        let map = Tile(rows * row / pitch), out = Tile(channels)
        let seconds = shortest(seconds: 0.5) {
            for x in stride(from: 0, to: width, by: pitch) {
                for y in 0..<rows - 1 {
                    kernels.copy(
                        map.floats + y * row + x, width, out.floats, pitch, UInt32(channels), UInt32(pitch), row)
                }
            }
        }
        table.row("copy", "\(channels)", "-", Double(4 * (rows - 1) * row) / seconds / 1e9, "GB/s", "-")
    }
}

extension SparseMatrix {
    /// A random matrix, a share of which is not zero; `places` are where the inputs of a row's columns lie. Rows have
    /// an output each, and come in parts as the engine's, in each fewest terms first; those without any are left out,
    /// but of the first part not if `keepingEmpty`.
    fileprivate init(
        rows: Int, _ density: Double, _ random: inout Random, keepingEmpty: Bool = false, places: (Int) -> [Int]
    ) {
        var inputs: [[Int?]] = []  // of each row's columns, nil where the weight is zero
        for row in 0..<rows {
            inputs.append(places(row).map { Double.random(in: 0..<1, using: &random) < density ? $0 : nil })
        }
        let used = inputs.joined().count { $0 != nil }
        let ends = ColumnParts.ends(columns: inputs[0].count, rows: rows, terms: used)
        var terms: [[mirlk_term]] = [], outs: [Int32] = []
        for (begin, end) in zip([0] + ends, ends) {
            let part = inputs.map { row in
                row[begin..<end].compactMap { $0 }.map { mirlk_term(offset: Int32($0), weight: 0.01) }
            }
            let order = part.indices.filter { !part[$0].isEmpty || keepingEmpty && begin == 0 }
                .sorted { part[$0].count < part[$1].count }
            terms += order.map { part[$0] }
            outs += order.map { Int32($0 * pitch) }
        }
        self.init(terms, outs: outs)
    }
}
