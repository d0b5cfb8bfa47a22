import Glibc
import Mirl
import MirlFiles

/// Why the filter ends without an image, and the exit status that tells its caller so.
struct Failure: Error {
    enum Kind: Int32 {
        case run = 1
        case input = 2
        case weights = 3
        case usage = 64
    }

    let kind: Kind
    let message: String

    init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    /// A system call that failed with the present `errno` on the file called `place`.
    static func system(_ kind: Kind, _ place: String) -> Failure {
        Failure(kind, "\(place): \(String(cString: strerror(errno)))")
    }

    /// In one line, and after mistakes in the command line a second one.
    func tell() {
        report("mirl-filter: \(message)".harmless)
        if kind == .usage { report("Try 'mirl-filter --help'.") }
    }

    init(opening error: MirlError) {
        switch error {
        case .weights(let text), .io(let text): self.init(.weights, text)
        default: self.init(.run, error.description)
        }
    }

    /// What happened to the samples that messages call `place`.
    init(restoring error: MirlError, _ place: String) {
        self.init(.run, "\(place): \(error)")
    }
}
