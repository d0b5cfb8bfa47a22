import Glibc
import Synchronization

/// A file under a passing name, removed unless it gets its final one, also when a signal ends the process.
struct TemporaryFile: ~Copyable {
    let descriptor: Int32
    private let path: UnsafeMutablePointer<CChar>

    init(in folder: String) throws(Failure) {
        path = strdup("\(folder)/.mirl-filter.\(getpid()).partial")
        descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else {
            defer { free(path) }
            throw .system(.run, String(cString: path))
        }
        doomed.store(path, ordering: .sequentiallyConsistent)
        removeWhenKilled()
    }

    deinit {
        close(descriptor)
        unlink(path)
        doomed.store(nil, ordering: .sequentiallyConsistent)
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
        doomed.store(nil, ordering: .sequentiallyConsistent)
        free(path)
        discard self
    }
}

/// What the signal handler removes.
nonisolated(unsafe) private let doomed = Atomic<UnsafeMutablePointer<CChar>?>(nil)

/// Lets the signals that end a process remove the file first; one that is ignored stays so.
private func removeWhenKilled() {
    for number in [SIGHUP, SIGINT, SIGTERM, SIGXFSZ] {
        let former = signal(number) { number in
            if let path = doomed.load(ordering: .sequentiallyConsistent) { unlink(path) }
            signal(number, SIG_DFL)
            raise(number)
        }
        if unsafeBitCast(former, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self) { signal(number, SIG_IGN) }
    }
}
