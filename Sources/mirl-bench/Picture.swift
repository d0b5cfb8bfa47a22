// The pictures that engines are measured with: noise over a gradient, the same on every run.
import ArgumentParser
import Mirl
import MirlFiles

struct Size: ExpressibleByArgument, CustomStringConvertible {
    let width, height: Int

    init?(argument: String) {
        let sides = argument.split(separator: "x", omittingEmptySubsequences: false).compactMap { Int($0) }
        guard sides.count == 2, sides.allSatisfy({ (1...65535).contains($0) }) else { return nil }
        (width, height) = (sides[0], sides[1])
    }

    var pixels: Int { width * height }
    var description: String { "\(width)x\(height)" }
}

/// Interleaved RGB floats in memory of its own.
final class FloatPicture {
    let size: Size
    private let samples: UnsafeMutableBufferPointer<Float>

    init(_ size: Size) {
        self.size = size
        samples = .allocate(capacity: 3 * size.pixels)
        var state: UInt32 = 1
        for i in 0..<samples.count {
            state = state &* 1_664_525 &+ 1_013_904_223
            let gradient = i / 3 % size.width * 192 / size.width
            samples[i] = Float(gradient + Int(state >> 26)) / 255
        }
    }

    deinit { samples.deallocate() }

    var buffer: ImageBuffer {
        ImageBuffer(
            PixelFormat(.float, bands: 3), width: size.width, height: size.height, stride: 12 * size.width,
            data: samples.baseAddress!)
    }

    /// 3 x height x width.
    var planes: [Float] { (0..<3).flatMap { c in (0..<size.pixels).map { samples[3 * $0 + c] } } }
}

struct Picture: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write a picture's floats, 3 x height x width, to a file.")

    @Argument(help: "WIDTHxHEIGHT.") var size: Size
    @Argument(help: "The file to write.", completion: .file()) var file: String

    func run() throws { try write(FloatPicture(size).planes, to: file) }
}

struct Output: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write what the network makes of a picture, before it is clamped to 0...1, as `picture` does.")

    @Argument(help: "The weight file.", completion: .file(extensions: ["mirl"])) var weights: String
    @Argument(help: "WIDTHxHEIGHT, multiples of 8.") var size: Size
    @Argument(help: "The file to write.", completion: .file()) var file: String
    @Option(help: "How exactly to compute.") var precision = Precision.fp32

    func validate() throws {
        guard size.width % 8 == 0, size.height % 8 == 0 else {
            throw ValidationError("\(size): expected multiples of 8, since the output is as large as the network's")
        }
    }

    func run() throws {
        var output: [Float] = []
        let picture = FloatPicture(size)
        try withExtendedLifetime(picture) {
            try Session(try Model.open(path: weights), precision: precision).trace(picture.buffer) { name, values in
                if name == "output" { output = values }
            }
        }
        try write(output, to: file)
    }
}

private func write(_ values: [Float], to file: String) throws {
    do {
        try writeFile(file, values.withUnsafeBytes { Array($0) })
    } catch {
        throw ValidationError("\(file): \(error)")
    }
}
