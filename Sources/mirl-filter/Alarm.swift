import Glibc
import MirlFiles
import Synchronization

/// The alarm, which ends what takes too long. Its handler only touches atomics and calls what is safe in a handler.
enum Alarm {
    /// Whether the alarm leaves it to the work to end, as soon as it sees `wentOff`.
    static var isPatient: Bool {
        get { patience.load(ordering: .sequentiallyConsistent) }
        set { patience.store(newValue, ordering: .sequentiallyConsistent) }
    }

    static var wentOff: Bool { lateness.load(ordering: .sequentiallyConsistent) }

    /// In `seconds` writes `message` and ends the process. The caller keeps the text alive until the alarm is off.
    static func set(_ seconds: Double, message: UnsafeMutablePointer<CChar>) {
        lastWords.store(message, ordering: .sequentiallyConsistent)
        lateness.store(false, ordering: .sequentiallyConsistent)
        signal(SIGALRM) { _ in
            if patience.load(ordering: .sequentiallyConsistent) {
                return lateness.store(true, ordering: .sequentiallyConsistent)
            }
            Doomed.remove()
            if let text = lastWords.load(ordering: .sequentiallyConsistent) {
                _ = write(STDERR_FILENO, text, strlen(text))
            }
            _exit(Failure.Kind.run.rawValue)
        }
        unblock()
        startTimer(seconds)
    }

    /// Programs whose threads block all signals hand that down to what they start.
    private static func unblock() {
        var alarm = sigset_t()
        sigemptyset(&alarm)
        sigaddset(&alarm, SIGALRM)
        pthread_sigmask(SIG_UNBLOCK, &alarm, nil)
    }

    static func clear() {
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
}

nonisolated(unsafe) private let lastWords = Atomic<UnsafeMutablePointer<CChar>?>(nil)
private let patience = Atomic<Bool>(false)
private let lateness = Atomic<Bool>(false)
