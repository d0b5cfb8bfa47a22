import Glibc

/// A file under a passing name beside the one that it becomes, so that a reader finds the old file or the whole new
/// one. It is removed unless it becomes that, also when a signal ends the process. There is one at a time.
package struct TemporaryFile: ~Copyable {
    package let descriptor: Int32
    private let path, target: UnsafeMutablePointer<CChar>

    /// The file to become `name`, or what that links to: a link stays one; an old file's permissions stay, and
    /// its owner if that may be.
    package init(for name: String) throws(SystemError) {
        let target = Path(name).target
        self.target = strdup(target.cString)
        // Random, as process numbers repeat where containers share a folder.
        let passing = String(UInt64.random(in: 0 ... .max), radix: 36)
        path = strdup(Path(".mirl.\(passing).partial").within(target.folder).cString)
        Doomed.setFile(path)
        var old = stat()
        let isNew = stat(target.cString, &old) != 0
        let isLoop = isNew && errno == ELOOP
        // Nobody may read what replaces a private file, not for a moment.
        let mode: mode_t = isNew ? 0o666 : 0o600
        descriptor = isLoop ? -1 : open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw SystemError() }
        if !isNew {
            let isOfGroup =
                fchown(descriptor, old.st_uid, old.st_gid) == 0 || fchown(descriptor, .max, old.st_gid) == 0
            fchmod(descriptor, old.st_mode & (isOfGroup ? 0o777 : 0o707))
        }
    }

    /// Runs too when `init` throws.
    deinit {
        close(descriptor)
        unlink(path)
        forget()
    }

    /// Gives the file its name when its content is on the disk: else a loss of power could leave neither the old
    /// content nor the new.
    package consuming func finish() throws(SystemError) {
        var error = fsync(descriptor) == 0 ? nil : SystemError()
        if close(descriptor) != 0, error == nil { error = SystemError() }
        if error == nil, rename(path, target) != 0 { error = SystemError() }
        if error != nil { unlink(path) }
        forget()
        discard self
        if let error { throw error }
    }

    private func forget() {
        Doomed.setFile(nil)
        free(path)
        free(target)
    }
}

/// The descriptor that a name such as /dev/stdout or /dev/fd/3 stands for: opened anew, it would be written from its
/// beginning. nil for other names.
package func namedDescriptor(_ name: String) -> Int32? {
    let folders = Set(["/dev/fd", "/proc/self/fd", "/proc/\(getpid())/fd"].map(Path.init))
    guard let path = Path(name).links.first(where: { folders.contains($0.folder) }) else { return nil }
    return Int32(path.name.description)
}

/// Whether a new file takes the place of what is at `path`; devices, pipes and folders are opened, and what is open
/// is written to.
package func isReplaced(_ path: String) -> Bool {
    if namedDescriptor(path) != nil { return false }
    var facts = stat()
    return stat(path, &facts) != 0 || facts.st_mode & S_IFMT == S_IFREG
}
