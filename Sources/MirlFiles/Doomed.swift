import Glibc
import Synchronization

/// What is removed when a signal ends the process: a file, and the folder that was made for it if nothing else lies
/// there; and a pipe, whose reader is to see its end. The handlers only touch atomics and call what is safe in a
/// handler.
package enum Doomed {
    package typealias CString = UnsafeMutablePointer<CChar>?

    /// Makes `path` the file, or none. The caller keeps the text alive, as it does for the folder.
    static func setFile(_ path: CString) { set(doomedFile, path) }

    static func setFolder(_ path: CString) { set(doomedFolder, path) }

    /// Makes `path` the pipe; the text is kept for the life of the process.
    package static func setPipe(_ path: CString) { set(doomedPipe, path) }

    /// Removes what there is of them. Handlers may call it.
    package static func remove() {
        // Opened and left to the end of the process, which is what the reader waits for.
        if let path = doomedPipe.load(ordering: .sequentiallyConsistent) {
            _ = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC)
        }
        if let path = doomedFile.load(ordering: .sequentiallyConsistent) { unlink(path) }
        if let path = doomedFolder.load(ordering: .sequentiallyConsistent) { rmdir(path) }
    }

    private static func set(_ doomed: borrowing Atomic<CString>, _ path: CString) {
        doomed.store(path, ordering: .sequentiallyConsistent)
        if path != nil { removeWhenKilled() }
    }

    /// All that end a process by default and are sent by others. One that is ignored stays so, and one that has a
    /// handler keeps that, which may call `remove`.
    private static func removeWhenKilled() {
        let deadly = [
            SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGUSR1, SIGUSR2, SIGXFSZ, SIGXCPU, SIGALRM, SIGVTALRM, SIGPROF,
            SIGPOLL, SIGPWR, SIGSTKFLT,
        ]
        let realTime = __libc_current_sigrtmin()...__libc_current_sigrtmax()
        for number in deadly + realTime where isLeftToDefault(number) {
            signal(number) { number in
                Doomed.remove()
                signal(number, SIG_DFL)
                raise(number)
            }
        }
    }

    private static func isLeftToDefault(_ number: Int32) -> Bool {
        var present = sigaction()
        sigaction(number, nil, &present)
        return present.__sigaction_handler.sa_handler == nil  // SIG_DFL
    }
}

nonisolated(unsafe) private let doomedFile = Atomic<Doomed.CString>(nil)
nonisolated(unsafe) private let doomedPipe = Atomic<Doomed.CString>(nil)
nonisolated(unsafe) private let doomedFolder = Atomic<Doomed.CString>(nil)
