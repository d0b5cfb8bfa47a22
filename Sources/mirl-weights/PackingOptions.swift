/// What pack and import have in common: the file to write, and how.
import ArgumentParser
import MirlPacking
import MirlWeights

struct PackingOptions: ParsableArguments {
    @Argument(help: "The weight file to write.", completion: .file(extensions: ["mirl"]))
    var output: String

    @Option(help: "How to store the values.")
    var values: ValueType = .float16

    @Option(help: "Where the weights come from, instead of what the checkpoint says.")
    var provenance: String?

    /// Writes what `pack` makes of `input`.
    func write(_ input: String, _ pack: () throws(PackError) -> [UInt8]) throws {
        let bytes: [UInt8]
        do throws(PackError) { bytes = try pack() } catch { throw fail(input, error.description, .badInput) }
        if let reason = replaceFile(output, with: bytes) { throw fail(output, reason, .writeFailed) }
    }
}

extension ValueType: ExpressibleByArgument {
    public init?(argument: String) {
        switch argument {
        case "fp16": self = .float16
        case "fp32": self = .float32
        default: return nil
        }
    }

    public var defaultValueDescription: String { self == .float16 ? "fp16" : "fp32" }
    public static var allValueStrings: [String] { ["fp16", "fp32"] }
}
