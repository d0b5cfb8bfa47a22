import ArgumentParser
import MirlPacking

/// mirl-weights pack: a checkpoint of the training code becomes a weight file.
struct Pack: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Pack a safetensors checkpoint into a weight file.")

    @Argument(help: "The checkpoint, a .safetensors file.", completion: .file(extensions: ["safetensors"]))
    var input: String

    @OptionGroup var packing: PackingOptions

    func run() throws {
        try packing.write(input) { (options) throws(PackError) in try pack(safetensors: input, options) }
    }
}
