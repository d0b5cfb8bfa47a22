import Glibc

/// What tells whether two names are of the same file.
package struct FileIdentity: Hashable {
    private let device: dev_t
    private let number: ino_t

    /// nil where there is no such file.
    package init?(of path: String) {
        var facts = stat()
        guard stat(path, &facts) == 0 else { return nil }
        (device, number) = (facts.st_dev, facts.st_ino)
    }
}
