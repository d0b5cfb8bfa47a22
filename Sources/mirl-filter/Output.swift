import Glibc
import MirlFiles

/// A destination that is being written to. It is opened with the first bytes; unless `finish` succeeds, no file
/// appears, nor a folder for it.
final class Output {
    private let destination: Destination
    private var descriptor: Int32?
    private var temporary: TemporaryFile?
    private var newFolder: NewFolder?

    init(_ destination: Destination) { self.destination = destination }

    deinit {
        if temporary == nil, let descriptor, descriptor != STDOUT_FILENO { close(descriptor) }
        temporary = nil
        newFolder = nil
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
        let descriptor = if let descriptor { descriptor } else { try open() }
        try naming { () throws(SystemError) in try writeAll(bytes, to: descriptor) }
    }

    func write(_ bytes: [UInt8]) throws(Failure) {
        try bytes.span.bytes.withUnsafeBytes { (bytes) throws(Failure) in try write(bytes) }
    }

    func finish() throws(Failure) {
        let descriptor = descriptor.take()
        try naming { () throws(SystemError) in
            if let file = temporary.take() {
                try file.finish()
            } else if let descriptor {
                // Some file systems tell only then that there was no room. Standard output itself stays open.
                if close(descriptor == STDOUT_FILENO ? dup(descriptor) : descriptor) != 0 { throw SystemError() }
            }
        }
        newFolder.take()?.keep()
    }

    private func open() throws(Failure) -> Int32 {
        let opened =
            if let path = destination.path {
                destination.isReplaced ? try openTemporary(path) : openInPlace(path)
            } else {
                STDOUT_FILENO
            }
        guard opened >= 0 else { throw .system(.run, destination.name) }
        descriptor = opened
        return opened
    }

    private func openTemporary(_ path: String) throws(Failure) -> Int32 {
        do { newFolder = try NewFolder(Path(path).folder) } catch {
            throw Failure(.run, "\(Path(path).folder): \(error)")
        }
        let file: TemporaryFile
        do { file = try TemporaryFile(for: path) } catch {
            throw Failure(.run, "\(Path(path).target.folder): \(error)")
        }
        let descriptor = file.descriptor
        temporary = consume file
        return descriptor
    }

    /// Says of which file the system tells an error.
    private func naming(_ work: () throws(SystemError) -> Void) throws(Failure) {
        do { try work() } catch { throw Failure(.run, "\(destination.name): \(error)") }
    }
}
