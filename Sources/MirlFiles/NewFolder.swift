import Glibc

/// A folder that was made for a file. It is removed unless it is kept, also when a signal ends the process, but never
/// with anything in it. There is one at a time.
package struct NewFolder: ~Copyable {
    private let path: UnsafeMutablePointer<CChar>

    /// nil where there is something already.
    package init?(_ path: Path) throws(SystemError) {
        guard mkdir(path.cString, 0o777) == 0 else {
            if errno == EEXIST { return nil }
            throw SystemError()
        }
        self.path = strdup(path.cString)
        Doomed.setFolder(self.path)
    }

    deinit {
        rmdir(path)
        forget()
    }

    package consuming func keep() {
        forget()
        discard self
    }

    private func forget() {
        Doomed.setFolder(nil)
        free(path)
    }
}
