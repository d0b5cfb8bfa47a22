import ArgumentParser

@main struct Weights: ParsableCommand {
    func run() throws {}
}
