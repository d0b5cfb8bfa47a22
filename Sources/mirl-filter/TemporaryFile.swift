import Glibc

/// A file under a passing name, removed unless it gets its final one, also when a signal ends the process.
struct TemporaryFile: ~Copyable {
    let descriptor: Int32
    private let path: UnsafeMutablePointer<CChar>

    /// The name is random, as process numbers repeat where containers share a folder.
    init(in folder: String) throws(Failure) {
        let name = String(UInt64.random(in: 0 ... .max), radix: 36)
        path = strdup("\(folder)/.mirl-filter.\(name).partial")
        Signals.remove(path)
        descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw .system(.run, folder) }
    }

    /// Runs too when `init` throws.
    deinit {
        close(descriptor)
        unlink(path)
        Signals.remove(nil)
        free(path)
    }

    /// Closes the file and renames it.
    consuming func become(_ target: String) throws(Failure) {
        let isClosed = close(descriptor) == 0
        guard isClosed, rename(path, target) == 0 else {
            let failure = Failure.system(.run, target)
            unlink(path)
            forget()
            throw failure
        }
        forget()
    }

    private consuming func forget() {
        Signals.remove(nil)
        free(path)
        discard self
    }
}
