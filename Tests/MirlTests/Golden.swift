// What the PyTorch network computes for a narrow random net (training/make_golden.py), and images to feed in.
import Foundation
import Mirl
import MirlPacking

/// A planar RGB image of floats, 3 x height x width.
struct Planar {
    var height: Int
    var width: Int
    var values: [Float]
}

struct Golden {
    let model: Model
    private let tensors: [String: (shape: [Int], values: [Float])]

    /// Another folder with weights.safetensors and golden.safetensors to compare with, a larger net's perhaps.
    static let otherFolder = ProcessInfo.processInfo.environment["MIRL_GOLDEN"]

    init() throws {
        let folder = Golden.otherFolder.map { URL(filePath: $0) }
            ?? URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden")
        let weights = try pack(
            safetensors: folder.appending(path: "weights.safetensors").path, PackOptions(values: .float16))
        model = try .open(packed: weights)
        let bytes = try Data(contentsOf: folder.appending(path: "golden.safetensors"))
        tensors = try bytes.withUnsafeBytes { bytes in
            try Safetensors(bytes).tensors.mapValues { ($0.shape, $0.values) }
        }
    }

    /// Names of the inputs' sizes, "HxW".
    var sizes: [String] { tensors.keys.filter { $0.hasPrefix("x_") }.map { String($0.dropFirst(2)) }.sorted() }
    var activations: [String] { tensors.keys.filter { $0.hasPrefix("act.") }.map { String($0.dropFirst(4)) } }

    func values(_ name: String) -> [Float] { tensors[name]!.values }

    func image(_ name: String) -> Planar {
        let (shape, values) = tensors[name]!
        return Planar(height: shape[1], width: shape[2], values: values)
    }
}

extension Planar {
    /// Calls `body` with the image as interleaved floats.
    func withBuffer<Result>(_ body: (ImageBuffer) throws -> Result) rethrows -> Result {
        var samples = [Float](repeating: 0, count: values.count)
        for c in 0..<3 {
            for i in 0..<height * width { samples[3 * i + c] = values[c * height * width + i] }
        }
        return try samples.withUnsafeMutableBytes { bytes in
            try body(
                ImageBuffer(
                    PixelFormat(.float, bands: 3), width: width, height: height, stride: 12 * width,
                    data: bytes.baseAddress!))
        }
    }

    /// The part of `values`, 3 x paddedHeight x paddedWidth, that an image of this size is padded from.
    func cropped(_ values: [Float]) -> [Float] {
        let paddedHeight = (height + 7) / 8 * 8, paddedWidth = (width + 7) / 8 * 8
        return (0..<3).flatMap { c in
            (0..<height).flatMap { y in
                values[((c * paddedHeight + y) * paddedWidth)...].prefix(width)
            }
        }
    }
}

extension Planar {
    /// What a session's network makes of the image before it is clamped, 3 x height x width, padded.
    func output(of session: Session, task: Mirl.Task = .auto) throws -> [Float] {
        var result: [Float] = []
        try withBuffer { try session.trace($0, task: task) { name, values in if name == "output" { result = values } } }
        return result
    }
}

extension Model {
    static func open(packed weights: [UInt8]) throws -> Model {
        try weights.withUnsafeBytes { bytes throws in try Model.open(copying: bytes) }
    }
}

extension ImageBuffer {
    /// The interleaved samples of an image of floats whose rows leave no gaps.
    var floats: [Float] {
        let samples = data.assumingMemoryBound(to: Float.self)
        return (0..<width * height * format.bands).map { samples[$0] }
    }
}

func largestDifference(_ a: [Float], _ b: [Float]) -> Float {
    precondition(a.count == b.count)
    return zip(a, b).reduce(0) { max($0, ($1.0 - $1.1).magnitude.isNaN ? .infinity : ($1.0 - $1.1).magnitude) }
}
