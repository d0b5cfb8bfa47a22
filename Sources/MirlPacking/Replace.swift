/// Writes a file so that a reader finds the old one or the whole new one, never a part.
#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Writes `bytes` beside `path`, then renames them to it. Returns why that failed, or nil.
public func replaceFile(_ path: String, with bytes: [UInt8]) -> String? {
    var status = stat()
    if stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG { return "not a regular file" }
    let temporary = "\(path).\(getpid()).part"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { return systemError() }
    var failure = writeAll(bytes, to: descriptor)
    if failure == nil, fsync(descriptor) != 0 { failure = systemError() }
    if close(descriptor) != 0, failure == nil { failure = systemError() }
    if failure == nil, rename(temporary, path) != 0 { failure = systemError() }
    if failure != nil { unlink(temporary) }
    return failure
}

/// Writes all of `bytes`; returns why that failed, or nil.
public func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> String? {
    var written = 0
    while written < bytes.count {
        let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress! + written, bytes.count - written) }
        if count > 0 {
            written += count
        } else if count == 0 || errno != EINTR {
            return systemError()
        }
    }
    return nil
}

private func systemError() -> String { String(cString: strerror(errno)) }
