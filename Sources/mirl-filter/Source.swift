import Glibc
import MirlFiles

/// Where images come from: a file, or standard input.
struct Source {
    /// nil for standard input.
    let path: String?

    init(_ path: String?) { self.path = path == "-" ? nil : path }

    /// What messages call it.
    var name: String { path ?? "stdin" }

    /// nil where there is no such file.
    var identity: FileIdentity? { path.map { FileIdentity(of: $0) } ?? FileIdentity(of: STDIN_FILENO) }

    func check() throws(Failure) {
        if path == nil && isatty(STDIN_FILENO) != 0 {
            let ways = "name an image file, or send one with < FILE or through a pipe"
            throw Failure(.usage, "standard input is a terminal; \(ways)")
        }
        if let path, isTerminal(path) {
            throw Failure(.usage, "\(path): a terminal, from which no image is read")
        }
    }

    func open() throws(Failure) -> Input {
        guard let path else { return Input(owning: STDIN_FILENO, place: name) }
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system(.input, name) }
        return Input(owning: descriptor, place: name)
    }
}
