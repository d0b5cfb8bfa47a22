import ArgumentParser
import MirlPacking

/// mirl-weights import: a published checkpoint becomes a weight file.
struct Import: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Import a PyTorch, Lightning or safetensors checkpoint as a weight file, running nothing in it.")

    @Argument(help: "The checkpoint.", completion: .file(extensions: ["ckpt", "pt", "pth", "safetensors"]))
    var input: String

    @OptionGroup var packing: PackingOptions

    @Option(help: "What the names of the network's tensors begin with, where several networks are in the checkpoint.")
    var prefix: String?

    @Flag(help: "Skip objects that are not known to belong in a checkpoint, instead of refusing them.")
    var skipUnknown = false

    func run() throws {
        try packing.write(input) { (options) throws(PackError) in
            try importCheckpoint(input, prefix: prefix, skippingUnknown: skipUnknown, options)
        }
    }
}
