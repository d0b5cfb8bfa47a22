/// What can go wrong while restoring, each with one line that names the place.
public enum MirlError: Error, Equatable, Sendable {
    /// An invalid size, format or option.
    case argument(String)
    /// An allocation failed.
    case memory(String)
    /// A file could not be opened or read.
    case io(String)
    /// A weight file is damaged or not of a kind known here.
    case weights(String)
    /// The progress callback asked to stop.
    case cancelled
    /// The system refused something else, such as a thread.
    case system(String)
}

extension MirlError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .argument(let text), .memory(let text), .io(let text), .weights(let text), .system(let text): text
        case .cancelled: "cancelled by the progress callback"
        }
    }
}
