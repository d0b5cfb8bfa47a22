// How the program fails: one line on stderr and an exit code.
import ArgumentParser
import MirlFiles

extension ExitCode {
    static let writeFailed = ExitCode(1)
    static let badInput = ExitCode(2)
    static let badWeights = ExitCode(3)
}

/// Says what is wrong with `file` and returns the code to exit with.
func fail(_ file: String, _ reason: String, _ code: ExitCode) -> ExitCode {
    // Nothing is left to tell where stderr itself cannot be written.
    try? writeAll(Array(("mirl-weights: \(file): \(reason)".harmless + "\n").utf8), to: 2)
    return code
}
