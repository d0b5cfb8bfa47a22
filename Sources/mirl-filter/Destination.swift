import Glibc
import MirlFiles

/// Where images go: a file that appears whole or not at all, or standard output.
struct Destination {
    /// nil for standard output.
    let path: String?

    init(_ path: String?) { self.path = path == "-" ? nil : path }

    /// What messages call it.
    var name: String { path ?? "stdout" }

    /// Finds before the work what would make it useless.
    func check() throws(Failure) {
        guard let path else {
            if isatty(STDOUT_FILENO) == 0 { return }
            let ways = "send the image to a file with -o FILE or > FILE, or into a pipe"
            throw Failure(.usage, "standard output is a terminal; \(ways)")
        }
        if isReplaced { return try checkFolder(Path(path).target.folder) }
        try checkIsNoFolder("name the file, or write several to a folder with --outdir")
        guard access(path, W_OK) == 0 else { throw .system(.run, path) }
        if isTerminal(path) { throw Failure(.usage, "\(path): a terminal, to which no image is written") }
    }

    func checkIsNoFolder(_ advice: String) throws(Failure) {
        if let path, isOf(S_IFDIR, path) { throw Failure(.usage, "\(path): a folder; \(advice)") }
    }

    private var isPipe: Bool { path.map { isOf(S_IFIFO, $0) } ?? false }

    /// The same as `abandon` when a signal or the alarm ends the process.
    func abandonWhenKilled() {
        if isPipe { Doomed.setPipe(strdup(path!)) }
    }

    /// Lets the reader of a pipe with a name, to which nothing will be written, see its end.
    func abandon() {
        guard let path, isPipe else { return }
        let descriptor = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC)
        if descriptor >= 0 { close(descriptor) }
    }

    /// The descriptor that is open already.
    var opened: Int32? { path.map(namedDescriptor) ?? STDOUT_FILENO }

    /// Devices and pipes are not replaced but opened.
    var isReplaced: Bool { path.map { MirlFiles.isReplaced($0) } ?? false }
}

/// Whether something of this kind has that name, links followed.
private func isOf(_ kind: mode_t, _ path: String) -> Bool {
    var facts = stat()
    return stat(path, &facts) == 0 && facts.st_mode & S_IFMT == kind
}

func isTerminal(_ path: String) -> Bool {
    guard isOf(S_IFCHR, path) else { return false }
    let descriptor = open(path, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)
    defer { close(descriptor) }
    return isatty(descriptor) != 0
}

func checkFolder(_ path: Path) throws(Failure) {
    guard access(Path(".").within(path).cString, W_OK | X_OK) == 0 else { throw .system(.run, "\(path)") }
}
