import Glibc
import MirlFiles

/// The time that an image may take. A restoration that is late is cancelled, so that others can follow; reading,
/// decoding and encoding cannot be, so being late there ends the process.
final class Deadline {
    private let seconds: Double?
    private var message: UnsafeMutablePointer<CChar>?

    init(_ seconds: Double?) { self.seconds = seconds }

    deinit { stop() }

    /// Begins to count for the image that messages call `place`.
    func start(_ place: String) {
        stop()
        guard let seconds else { return }
        message = strdup("mirl-filter: \(failure(place).message)".harmless + "\n")
        Alarm.set(seconds, message: message!)
    }

    /// Counts no more: bytes are about to be written that cannot be taken back.
    func stop() {
        guard message != nil else { return }
        Alarm.clear()
        free(message)
        message = nil
    }

    var isPast: Bool { message != nil && Alarm.wentOff }

    func failure(_ place: String) -> Failure {
        Failure(.run, "\(place): not done within \(seconds ?? 0) s (--timeout)")
    }

    /// Does work that looks at `isPast` often and then ends.
    func watched<Failed>(_ work: () throws(Failed) -> Void) throws(Failed) {
        Alarm.isPatient = true
        defer { Alarm.isPatient = false }
        try work()
    }
}
