import ArgumentParser

/// mirl-bench: measures the engine and the machine; `bench/run` makes a report of it.
@main struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mirl-bench",
        abstract: "Measure the engine of mirl, and what the machine could do at best.",
        discussion: "Tables are columns of words, headed by their names with units. Times are those of a wall clock.",
        subcommands: [
            Machine.self, KernelTimes.self, Restore.self, Open.self, Picture.self, Output.self, RandomWeights.self,
        ])
}
