/// mirl-weights pack: a checkpoint becomes a weight file.
import ArgumentParser
import MirlPacking
import MirlWeights

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

struct Pack: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Pack a safetensors checkpoint into a weight file.")

    @Argument(help: "The checkpoint, a .safetensors file.", completion: .file(extensions: ["safetensors"]))
    var input: String

    @Argument(help: "The weight file to write.", completion: .file(extensions: ["mirl"]))
    var output: String

    @Option(help: "How to store the values.")
    var values: ValueType = .float16

    @Option(help: "Where the weights come from, instead of what the checkpoint says.")
    var provenance: String?

    func run() throws {
        let bytes: [UInt8]
        do throws(PackError) {
            bytes = try pack(safetensors: input, valueType: values, provenance: provenance)
        } catch {
            throw fail(input, error.description, .badInput)
        }
        if let reason = replaceFile(output, with: bytes) { throw fail(output, reason, .writeFailed) }
    }
}
