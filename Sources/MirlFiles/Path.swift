import Glibc

/// A file's name as the system takes it, in bytes: what a link leads to need be no text, and in a `String` a slash and
/// a combining mark after it are one character.
package struct Path: Hashable, CustomStringConvertible {
    private static let slash = CChar(bitPattern: UInt8(ascii: "/"))

    /// Ends with 0.
    package let cString: [CChar]

    package init(_ name: String) { cString = Array(name.utf8CString) }

    private init(bytes: some Sequence<CChar>) { cString = bytes + [0] }

    private var bytes: ArraySlice<CChar> { cString.dropLast() }

    /// For messages; what is no text in it is replaced.
    package var description: String { String(decoding: bytes.map(UInt8.init(bitPattern:)), as: UTF8.self) }

    package var folder: Path {
        guard let slash = bytes.lastIndex(of: Self.slash) else { return Path(".") }
        return slash == 0 ? Path("/") : Path(bytes: bytes[..<slash])
    }

    /// What comes after the last slash.
    package var name: Path { Path(bytes: bytes[(bytes.lastIndex(of: Self.slash).map { $0 + 1 } ?? 0)...]) }

    /// The same, in a folder.
    package func within(_ folder: Path) -> Path { Path(bytes: folder.bytes + [Self.slash] + bytes) }

    /// What a link leads to, though that may not exist yet; the name itself where it is none.
    package var target: Path { links.last! }

    /// A name, what it is a link to, what that is a link to, and so on.
    var links: [Path] {
        var paths = [self]
        while paths.count <= 40 {  // as many as the system follows
            var bytes = [CChar](repeating: 0, count: Int(PATH_MAX))
            let count = readlink(paths.last!.cString, &bytes, bytes.count)
            guard count > 0 else { break }
            let next = Path(bytes: bytes[..<count])
            paths.append(bytes[0] == Self.slash ? next : next.within(paths.last!.folder))
        }
        return paths
    }
}
