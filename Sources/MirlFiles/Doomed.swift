import Glibc
import Synchronization

/// What is removed when a signal ends the process: a file, and the folder that was made for it if nothing else lies
/// there. The handlers only touch atomics and call what is safe in a handler.
package enum Doomed {
    typealias Path = UnsafeMutablePointer<CChar>?

    /// Makes `path` the file, or none. The caller keeps the text alive, as it does for the folder.
    static func setFile(_ path: Path) { set(doomedFile, path) }

    static func setFolder(_ path: Path) { set(doomedFolder, path) }

    /// Removes what there is of them. Handlers may call it.
    package static func remove() {
        if let path = doomedFile.load(ordering: .sequentiallyConsistent) { unlink(path) }
        if let path = doomedFolder.load(ordering: .sequentiallyConsistent) { rmdir(path) }
    }

    private static func set(_ doomed: borrowing Atomic<Path>, _ path: Path) {
        doomed.store(path, ordering: .sequentiallyConsistent)
        if path != nil { removeWhenKilled() }
    }

    /// All that end a process by default and are sent by others. One that is ignored stays so.
    private static func removeWhenKilled() {
        let deadly = [
            SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGUSR1, SIGUSR2, SIGXFSZ, SIGXCPU, SIGALRM, SIGVTALRM, SIGPROF,
            SIGPOLL, SIGPWR, SIGSTKFLT,
        ]
        for number in deadly + Array(__libc_current_sigrtmin()...__libc_current_sigrtmax()) where !isIgnored(number) {
            signal(number) { number in
                Doomed.remove()
                signal(number, SIG_DFL)
                raise(number)
            }
        }
    }

    private static func isIgnored(_ number: Int32) -> Bool {
        var present = sigaction()
        sigaction(number, nil, &present)
        let handler = unsafeBitCast(present.__sigaction_handler.sa_handler, to: Int.self)
        return handler == unsafeBitCast(SIG_IGN, to: Int.self)
    }
}

nonisolated(unsafe) private let doomedFile = Atomic<Doomed.Path>(nil)
nonisolated(unsafe) private let doomedFolder = Atomic<Doomed.Path>(nil)
