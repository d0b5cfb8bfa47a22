/// What makes a stream unfit, in one line.
public struct VideoError: Error, Equatable, Sendable {
    public let message: String

    init(_ message: String) { self.message = message }
}
