import Glibc

/// What tells whether two names are of the same file.
package struct FileIdentity: Hashable {
    private let device: dev_t
    private let number: ino_t
    /// Not a device, a pipe or a folder.
    package let isRegular: Bool

    /// nil where there is no such file.
    package init?(of path: Path) {
        var facts = stat()
        guard stat(path.cString, &facts) == 0 else { return nil }
        self.init(facts)
    }

    package init?(of path: String) { self.init(of: Path(path)) }

    /// nil where nothing is open.
    package init?(of descriptor: Int32) {
        var facts = stat()
        guard fstat(descriptor, &facts) == 0 else { return nil }
        self.init(facts)
    }

    private init(_ facts: stat) {
        (device, number) = (facts.st_dev, facts.st_ino)
        isRegular = facts.st_mode & S_IFMT == S_IFREG
    }
}
