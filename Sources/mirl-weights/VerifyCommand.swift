import ArgumentParser
import MirlWeights

/// mirl-weights verify: every check there is.
struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check everything in a weight file; silent if all is well.")

    @Argument(help: "The weight file.", completion: .file(extensions: ["mirl"]))
    var file: String

    func run() throws {
        do throws(WeightError) {
            try WeightFile(path: file).verify()
        } catch {
            throw fail(file, error.description, .badWeights)
        }
    }
}
