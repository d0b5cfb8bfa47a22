import Glibc

/// Writes all of `bytes`, however few the system takes at a time.
package func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) throws(SystemError) {
    var written = 0
    while written < bytes.count {
        let accepted = write(descriptor, bytes.baseAddress! + written, bytes.count - written)
        if accepted > 0 {
            written += accepted
        } else if accepted == 0 || !mayRetry(descriptor, POLLOUT) {
            throw SystemError()
        }
    }
}

/// Whether a call that has just failed is to be tried again: after a signal, and where a descriptor of another
/// process's choosing does not wait, when it is ready for `events`.
package func mayRetry(_ descriptor: Int32, _ events: Int32) -> Bool {
    if errno == EINTR { return true }
    guard errno == EAGAIN else { return false }
    var ready = pollfd(fd: descriptor, events: Int16(events), revents: 0)
    return poll(&ready, 1, -1) > 0 || errno == EINTR
}

/// Opens what is not replaced, to write to it as it is.
package func openInPlace(_ path: String) -> Int32 {
    if let descriptor = namedDescriptor(path) { return fcntl(descriptor, F_DUPFD_CLOEXEC, 0) }
    return open(path, O_WRONLY | O_CLOEXEC)
}

package func writeAll(_ bytes: [UInt8], to descriptor: Int32) throws(SystemError) {
    try bytes.span.bytes.withUnsafeBytes { (bytes) throws(SystemError) in try writeAll(bytes, to: descriptor) }
}

/// Writes the file at `path`, whole or not at all, or into the device or pipe there.
package func writeFile(_ path: String, _ bytes: [UInt8]) throws(SystemError) {
    if isReplaced(path) {
        let file = try TemporaryFile(for: path)
        try writeAll(bytes, to: file.descriptor)
        return try file.finish()
    }
    let descriptor = openInPlace(path)
    guard descriptor >= 0 else { throw SystemError() }
    do { try writeAll(bytes, to: descriptor) } catch {
        close(descriptor)
        throw error
    }
    guard close(descriptor) == 0 else { throw SystemError() }  // some file systems tell only now
}
