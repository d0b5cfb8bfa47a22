import ArgumentParser
import MirlFiles
import MirlPacking
import MirlWeights

/// What pack and import have in common: the file to write, and how.
struct PackingOptions: ParsableArguments {
    @Argument(help: "The weight file to write.", completion: .file(extensions: ["mirl"]))
    var output: String

    @Option(help: "How to store the values.")
    var values: Values = .fp16

    @Option(help: "How to store those of prompts, if differently.")
    var prompts: Values?

    @Option(help: "Where the weights come from, instead of what the checkpoint says.")
    var provenance: String?

    enum Values: String, CaseIterable, ExpressibleByArgument {
        case fp16, fp32, int8

        var type: ValueType {
            switch self {
            case .fp16: .float16
            case .fp32: .float32
            case .int8: .int8
            }
        }
    }

    private var options: PackOptions {
        PackOptions(values: values.type, prompts: prompts?.type, provenance: provenance)
    }

    func validate() throws {
        if output == "-" { throw ValidationError("Weight files are mapped; they are not written to standard output.") }
    }

    /// Writes what `pack` makes of `input`.
    func write(_ input: String, _ pack: (PackOptions) throws(PackError) -> [UInt8]) throws {
        if FileIdentity(of: input) != nil, FileIdentity(of: input) == FileIdentity(of: output) {
            throw ValidationError("\(output): is the checkpoint itself.")
        }
        let bytes: [UInt8]
        do throws(PackError) { bytes = try pack(options) } catch { throw fail(input, error.description, .badInput) }
        do { try writeFile(output, bytes) } catch { throw fail(output, "\(error)", .writeFailed) }
    }
}
