import Glibc

/// The bytes of a file, mapped, copied or borrowed, for as long as the object lives.
package final class Storage: @unchecked Sendable {
    package let bytes: UnsafeRawBufferPointer
    private let release: Release

    private enum Release { case unmap, free, nothing }

    /// Maps the regular file at `path`. Whoever changes the file meanwhile changes the bytes.
    package init(mapping path: String) throws(WeightError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw .lastSystemError("open") }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .lastSystemError("read its size") }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw .system(call: "map", reason: "not a regular file")
        }
        let size = Int(status.st_size)
        guard size > 0 else { throw .invalid(field: "file length", declared: "0", expected: "a file with content") }
        let address = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0)
        guard let address, address != MAP_FAILED else {
            throw errno == ENOMEM ? .memory(bytes: size) : .lastSystemError("map")
        }
        bytes = UnsafeRawBufferPointer(start: address, count: size)
        release = .unmap
    }

    /// Copies `source` to memory that begins at a multiple of 64.
    package init(copying source: UnsafeRawBufferPointer) throws(WeightError) {
        var address: UnsafeMutableRawPointer?
        guard posix_memalign(&address, Layout.alignment, max(source.count, 1)) == 0, let address else {
            throw .memory(bytes: source.count)
        }
        if let start = source.baseAddress { address.copyMemory(from: start, byteCount: source.count) }
        bytes = UnsafeRawBufferPointer(start: address, count: source.count)
        release = .free
    }

    /// Uses bytes that the caller keeps unchanged.
    package init(borrowing source: UnsafeRawBufferPointer) throws(WeightError) {
        let address = UInt(bitPattern: source.baseAddress)
        try require(
            address % UInt(Layout.alignment) == 0, "address of the weights", is: hexadecimal(address),
            expected: "a multiple of \(Layout.alignment)")
        bytes = source
        release = .nothing
    }

    deinit {
        guard let start = bytes.baseAddress else { return }
        let address = UnsafeMutableRawPointer(mutating: start)
        switch release {
        case .unmap: munmap(address, bytes.count)
        case .free: free(address)
        case .nothing: break
        }
    }
}

extension WeightError {
    fileprivate static func lastSystemError(_ call: String) -> WeightError {
        .system(call: call, reason: String(cString: strerror(errno)))
    }
}
