import Glibc
import Synchronization

/// What signals do: those that end the process first remove the file that is being written, and the alarm ends what
/// takes too long. The handlers only touch atomics and call what is safe in a handler.
enum Signals {
    /// Makes `path` the file to remove, or none. The caller keeps the text alive.
    static func remove(_ path: UnsafeMutablePointer<CChar>?) {
        doomed.store(path, ordering: .sequentiallyConsistent)
        if path != nil { removeWhenKilled() }
    }

    /// Whether the alarm leaves it to the work to end, as soon as it sees `isLate`.
    static var isPatient: Bool {
        get { patience.load(ordering: .sequentiallyConsistent) }
        set { patience.store(newValue, ordering: .sequentiallyConsistent) }
    }

    /// Whether the alarm went off.
    static var isLate: Bool { lateness.load(ordering: .sequentiallyConsistent) }

    /// In `seconds` writes `message` and ends the process. The caller keeps the text alive until the alarm is off.
    static func setAlarm(_ seconds: Double, message: UnsafeMutablePointer<CChar>) {
        lastWords.store(message, ordering: .sequentiallyConsistent)
        lateness.store(false, ordering: .sequentiallyConsistent)
        signal(SIGALRM) { _ in
            if patience.load(ordering: .sequentiallyConsistent) {
                return lateness.store(true, ordering: .sequentiallyConsistent)
            }
            removeDoomed()
            if let text = lastWords.load(ordering: .sequentiallyConsistent) { _ = write(STDERR_FILENO, text, strlen(text)) }
            _exit(Failure.Kind.run.rawValue)
        }
        unblockAlarm()
        startTimer(seconds)
    }

    /// Programs whose threads block all signals hand that down to what they start.
    private static func unblockAlarm() {
        var alarm = sigset_t()
        sigemptyset(&alarm)
        sigaddset(&alarm, SIGALRM)
        pthread_sigmask(SIG_UNBLOCK, &alarm, nil)
    }

    static func clearAlarm() {
        startTimer(0)
        lastWords.store(nil, ordering: .sequentiallyConsistent)
    }

    /// 0 stops it.
    private static func startTimer(_ seconds: Double) {
        let whole = seconds.rounded(.down)
        let microseconds = seconds > 0 ? max(1, (seconds - whole) * 1e6) : 0
        var timer = itimerval()
        timer.it_value = timeval(tv_sec: Int(whole), tv_usec: Int(microseconds))
        setitimer(__itimer_which_t(ITIMER_REAL.rawValue), &timer, nil)
    }

    /// All that end a process by default and are sent by others. One that is ignored stays so.
    private static func removeWhenKilled() {
        for number in [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGUSR1, SIGUSR2, SIGXFSZ, SIGXCPU] where !isIgnored(number) {
            signal(number) { number in
                removeDoomed()
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
nonisolated(unsafe) private let lastWords = Atomic<UnsafeMutablePointer<CChar>?>(nil)
private let patience = Atomic<Bool>(false)
private let lateness = Atomic<Bool>(false)

private func removeDoomed() {
    if let path = doomed.load(ordering: .sequentiallyConsistent) { unlink(path) }
}
