/// mirl-weights: makes, shows and checks weight files.
import ArgumentParser

@main struct Weights: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mirl-weights",
        abstract: "Make, show and check the weight files of mirl.",
        version: "mirl-weights 0.1.0",
        subcommands: [Pack.self, Info.self, Verify.self])
}
