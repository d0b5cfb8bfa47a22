/// Why weights could not be packed: one line that names the tensor or the field.
public struct PackError: Error, Equatable, Sendable, CustomStringConvertible {
    public let description: String

    package init(_ description: String) { self.description = description }
}
