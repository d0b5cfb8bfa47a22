/// mirl-weights: makes, shows and checks weight files.
import ArgumentParser
import CMirl
import MirlArguments

@main struct Weights: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mirl-weights",
        abstract: "Make, show and check the weight files of mirl.",
        version: "mirl-weights \(MIRL_VERSION_MAJOR).\(MIRL_VERSION_MINOR).\(MIRL_VERSION_PATCH)",
        subcommands: [Pack.self, Import.self, Info.self, Verify.self])

    static func main() { main(processArguments) }
}
