import Glibc

/// Writes all of `bytes`, however few the system takes at a time.
package func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) throws(SystemError) {
    var written = 0
    while written < bytes.count {
        let accepted = write(descriptor, bytes.baseAddress! + written, bytes.count - written)
        if accepted > 0 { written += accepted } else if accepted == 0 || errno != EINTR { throw SystemError() }
    }
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
    let descriptor = open(path, O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw SystemError() }
    defer { close(descriptor) }
    try writeAll(bytes, to: descriptor)
}
