import ArgumentParser
import CMirl
import Glibc
import MirlArguments

/// Parses the command line, runs the filter, and turns what came of it into messages and an exit status.
@main enum Main {
    static func main() {
        fillClosedStreams()
        do {
            let filter = try Filter.parse(processArguments(flags: "qvh", options: ["o": "output"]))
            try filter.restore()
        } catch let failure as Failure {
            end(failure)
        } catch let error as ArgumentError {
            end(Failure(.usage, "\(error)"))
        } catch {
            answer(error)
        }
    }

    /// A file opened in the place of a closed stream would be taken for it: an image read as one, or messages written
    /// into another. In its stead comes a file that refuses the use, as a closed one would.
    private static func fillClosedStreams() {
        for (stream, uselessMode) in [(STDIN_FILENO, O_WRONLY), (STDOUT_FILENO, O_RDONLY), (STDERR_FILENO, O_RDONLY)]
        where fcntl(stream, F_GETFD) == -1 {
            _ = open("/dev/null", uselessMode)
        }
    }

    private static func end(_ failure: Failure) -> Never {
        failure.tell()
        exit(failure.kind.rawValue)
    }

    /// Help, version and completions, which the parser throws too, go to standard output.
    private static func answer(_ error: any Error) -> Never {
        let text = Filter.message(for: error)
        guard Filter.exitCode(for: error).isSuccess else {
            end(Failure(.usage, text.split(separator: "\n").map { $0.drop { $0 == " " } }.joined(separator: " ")))
        }
        do {
            try Output(Destination(nil)).write(Array("\(withoutSubcommandsForZsh(text))\n".utf8))
        } catch {
            end(error)
        }
        exit(0)
    }

    /// The parser's completions for zsh declare subcommands where there are none. Beside several files, zsh calls that
    /// a "doubled rest argument definition" and completes nothing.
    private static func withoutSubcommandsForZsh(_ text: String) -> String {
        guard text.hasPrefix("#compdef ") else { return text }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        return lines.filter { !$0.contains(":->") }.joined(separator: "\n")
    }
}
