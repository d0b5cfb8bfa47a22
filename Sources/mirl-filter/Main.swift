import ArgumentParser

@main struct Filter: ParsableCommand {
    func run() throws {}
}
