import Glibc
import Synchronization

/// The file that is removed when a signal ends the process. The handlers only touch an atomic and call what is safe in a
/// handler.
package enum DoomedFile {
    /// Makes `path` the file, or none. The caller keeps the text alive.
    static func set(_ path: UnsafeMutablePointer<CChar>?) {
        doomed.store(path, ordering: .sequentiallyConsistent)
        if path != nil { removeWhenKilled() }
    }

    /// Removes it, if there is one. Handlers may call it.
    package static func remove() {
        if let path = doomed.load(ordering: .sequentiallyConsistent) { unlink(path) }
    }

    /// All that end a process by default and are sent by others. One that is ignored stays so.
    private static func removeWhenKilled() {
        for number in [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGUSR1, SIGUSR2, SIGXFSZ, SIGXCPU] where !isIgnored(number) {
            signal(number) { number in
                DoomedFile.remove()
                signal(number, SIG_DFL)
                raise(number)
            }
        }
    }

    private static func isIgnored(_ number: Int32) -> Bool {
        var present = sigaction()
        sigaction(number, nil, &present)
        return unsafeBitCast(present.__sigaction_handler.sa_handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
    }
}

nonisolated(unsafe) private let doomed = Atomic<UnsafeMutablePointer<CChar>?>(nil)
