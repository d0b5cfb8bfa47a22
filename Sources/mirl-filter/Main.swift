import ArgumentParser
import CMirl
import Glibc

/// Parses the command line, runs the filter, and turns what came of it into messages and an exit status.
@main enum Main {
    static func main() {
        guardStandardError()
        do {
            let filter = try Filter.parse()
            try filter.restore()
        } catch let failure as Failure {
            end(failure)
        } catch {
            answer(error)
        }
    }

    /// A file opened in the place of a closed standard error would receive the messages.
    private static func guardStandardError() {
        if fcntl(STDERR_FILENO, F_GETFD) == -1 { _ = open("/dev/null", O_WRONLY) }
    }

    private static func end(_ failure: Failure) -> Never {
        report("mirl-filter: \(failure.message)")
        exit(failure.kind.rawValue)
    }

    /// Help and version, which the parser throws too, go to standard output.
    private static func answer(_ error: any Error) -> Never {
        let text = Filter.message(for: error)
        guard Filter.exitCode(for: error).isSuccess else {
            end(Failure(.usage, "\(text)\nTry 'mirl-filter --help'."))
        }
        do {
            try Bytes(copying: text + "\n").write(to: STDOUT_FILENO, place: "stdout")
        } catch {
            end(error)
        }
        exit(0)
    }
}
