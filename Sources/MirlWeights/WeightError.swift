/// Why a weight file was refused.
public enum WeightError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The system refused to open, read or map the file.
    case system(call: String, reason: String)
    case memory(bytes: Int)
    /// A field of the file declares what cannot be.
    case invalid(field: String, declared: String, expected: String)

    /// One line, without the file's name.
    public var description: String {
        switch self {
        case .system(let call, let reason): "cannot \(call): \(reason)"
        case .memory(let bytes): "cannot allocate \(bytes) bytes"
        case .invalid(let field, let declared, let expected): "\(field) is \(declared), expected \(expected)"
        }
    }
}

/// Passes if `condition` holds; the descriptions are made only when it does not.
@inline(__always)
package func require(
    _ condition: Bool, _ field: @autoclosure () -> String, is declared: @autoclosure () -> Any,
    expected: @autoclosure () -> Any
) throws(WeightError) {
    if !condition {
        throw .invalid(field: field(), declared: "\(declared())", expected: "\(expected())")
    }
}

/// Text from a file, made fit for a line on a terminal.
package func printable(_ bytes: some Sequence<UInt8>) -> String {
    let safe = bytes.prefix(100).map { (0x20..<0x7F).contains($0) ? $0 : UInt8(ascii: "?") }
    return "\"" + String(decoding: safe, as: UTF8.self) + "\""
}

package func hexadecimal(_ value: some FixedWidthInteger) -> String { "0x" + String(value, radix: 16) }
