import Glibc

/// A destination that is being written to. It is opened with the first bytes; unless `finish` succeeds, no file appears.
final class Output {
    private let destination: Destination
    private var descriptor: Int32?
    private var temporary: TemporaryFile?
    /// The file that the temporary one replaces: a link keeps pointing to it.
    private var target = ""
    private var newFolder: String?

    init(_ destination: Destination) { self.destination = destination }

    deinit {
        if temporary == nil, let descriptor, descriptor != STDOUT_FILENO { close(descriptor) }
        temporary = nil
        if let newFolder { rmdir(newFolder) }
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
        let descriptor = if let descriptor { descriptor } else { try open() }
        try writeAll(bytes, to: descriptor, place: destination.name)
    }

    func write(_ bytes: [UInt8]) throws(Failure) {
        try bytes.span.bytes.withUnsafeBytes { (bytes) throws(Failure) in try write(bytes) }
    }

    func finish() throws(Failure) {
        try temporary.take()?.become(target)
        newFolder = nil
    }

    private func open() throws(Failure) -> Int32 {
        let opened =
            if let path = destination.path {
                destination.isReplaced ? try openTemporary(path) : Glibc.open(path, O_WRONLY | O_CLOEXEC)
            } else {
                STDOUT_FILENO
            }
        guard opened >= 0 else { throw .system(.run, destination.name) }
        descriptor = opened
        return opened
    }

    private func openTemporary(_ path: String) throws(Failure) -> Int32 {
        target = resolved(path)
        let folder = folder(of: target)
        if mkdir(folder, 0o777) == 0 { newFolder = folder }
        let file = try TemporaryFile(in: folder)
        let descriptor = file.descriptor
        temporary = consume file
        var old = stat()
        if stat(target, &old) == 0 { fchmod(descriptor, old.st_mode & 0o777) }
        return descriptor
    }

    private func resolved(_ path: String) -> String {
        guard let real = realpath(path, nil) else { return path }
        defer { free(real) }
        return String(cString: real)
    }
}
