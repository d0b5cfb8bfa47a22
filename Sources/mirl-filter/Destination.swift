import Glibc

/// Where the picture goes: a file that appears whole or not at all, or standard output.
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
            throw Failure(.usage, "standard output is a terminal; send the image to a file with -o FILE or > FILE, or into a pipe")
        }
        if isRegular(path) ?? true {
            guard access(Self.folder(of: path), W_OK) == 0 else { throw .system(.run, Self.folder(of: path)) }
        }
    }

    func write(_ bytes: borrowing Bytes) throws(Failure) {
        guard let path else { return try bytes.write(to: STDOUT_FILENO, place: name) }
        if isRegular(path) ?? true {
            try replaceFile(with: bytes)
        } else {
            try writeInPlace(bytes)
        }
    }

    /// nil where there is no file yet. Devices, pipes and folders are not replaced but opened.
    private func isRegular(_ path: String) -> Bool? {
        var facts = stat()
        return stat(path, &facts) == 0 ? facts.st_mode & S_IFMT == S_IFREG : nil
    }

    private func writeInPlace(_ bytes: borrowing Bytes) throws(Failure) {
        let descriptor = open(name, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system(.run, name) }
        defer { close(descriptor) }
        try bytes.write(to: descriptor, place: name)
    }

    private func replaceFile(with bytes: borrowing Bytes) throws(Failure) {
        let target = Self.resolved(name)
        let temporary = try TemporaryFile(in: Self.folder(of: target))
        try bytes.write(to: temporary.descriptor, place: name)
        try temporary.become(target)
    }

    /// A link keeps pointing to the file that is replaced.
    private static func resolved(_ path: String) -> String {
        guard let real = realpath(path, nil) else { return path }
        defer { free(real) }
        return String(cString: real)
    }

    static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
