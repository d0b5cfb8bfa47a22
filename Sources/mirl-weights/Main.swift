import ArgumentParser
import CMirl
import Glibc
import MirlArguments
import MirlFiles

/// mirl-weights: makes, shows and checks weight files.
@main struct Weights: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mirl-weights",
        abstract: "Make, show and check the weight files of mirl.",
        version: "mirl-weights \(MIRL_VERSION_MAJOR).\(MIRL_VERSION_MINOR).\(MIRL_VERSION_PATCH)",
        subcommands: [Pack.self, Import.self, Info.self, Verify.self])

    static func main() {
        do {
            let arguments = try processArguments(flags: "h", options: [:])
            guard !arguments.isEmpty else { throw ValidationError("pack, import, info or verify?") }
            var command = try parseAsRoot(arguments)
            try command.run()
        } catch {
            end(error)
        }
    }

    /// What the parser throws tells of a mistake, or is what was asked for: help, the version, completions.
    private static func end(_ error: any Error) -> Never {
        let isMistake = error is ArgumentError, code = isMistake ? ExitCode.validationFailure : exitCode(for: error)
        let text = isMistake ? "\(error)" : message(for: error)
        if !text.isEmpty {
            let mistake = "mirl-weights: \(text.harmlessLines)\nTry 'mirl-weights --help'.\n"
            let lines = code.isSuccess ? "\(text)\n" : mistake
            do { try writeAll(Array(lines.utf8), to: code.isSuccess ? 1 : 2) } catch {
                try? writeAll(Array("mirl-weights: stdout: \(error)\n".utf8), to: 2)
                Glibc.exit(1)
            }
        }
        Glibc.exit(code.rawValue)
    }
}
