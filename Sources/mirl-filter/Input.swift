import Glibc
import MirlFiles

/// A file or a stream that is read piece by piece.
struct Input: ~Copyable {
    /// What messages call it.
    let place: String
    private let descriptor: Int32
    /// How many bytes are read at least, if there are as many.
    private static let piece = 64 << 10
    private var buffer: UnsafeMutableRawPointer?
    private var capacity = 0, start = 0, end = 0

    /// Takes over the descriptor.
    init(owning descriptor: Int32, place: String) {
        self.descriptor = descriptor
        self.place = place
    }

    deinit {
        free(buffer)
        close(descriptor)
    }

    /// What has been read and not been dropped.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: buffer.map { $0 + start }, count: end - start) }

    /// Reads until there are `count` bytes, false where the input ends before. Memory grows with what has come, not
    /// with what is wanted, and little more is read than that.
    mutating func holds(_ count: Int) throws(Failure) -> Bool {
        while end - start < count {
            try makeRoom()
            let wanted = max(count - (end - start), Self.piece)
            let received = read(descriptor, buffer! + end, min(wanted, capacity - end))
            if received == 0 { return false }
            if received > 0 { end += received } else if !mayRetry(descriptor, POLLIN) { throw .system(.input, place) }
        }
        return true
    }

    mutating func drop(_ count: Int) { start += count }

    /// Reads to the end, which must come within `most` bytes; `reason` says why.
    mutating func readAll(_ most: Int, _ reason: String) throws(Failure) {
        while try holds(bytes.count + 1) {
            if bytes.count > most { throw Failure(.input, "\(place): more than \(most) bytes, \(reason)") }
        }
    }

    /// Reads on to the next byte that is not white space, false where there is none.
    mutating func holdsMore() throws(Failure) -> Bool {
        while try holds(1) {
            if isspace(Int32(bytes[0])) == 0 { return true }
            drop(1)
        }
        return false
    }

    /// Takes a line, without its newline; nil where the input ends in it or `longest` bytes do not.
    mutating func line(longest: Int) throws(Failure) -> [UInt8]? {
        var count = 0
        while count <= longest, try holds(count + 1) {
            if bytes[count] == UInt8(ascii: "\n") {
                defer { drop(count + 1) }
                return Array(bytes.prefix(count))
            }
            count += 1
        }
        return nil
    }

    /// What is left moves into the place of what was dropped once that is as large, so that no more bytes move than are
    /// dropped.
    private mutating func makeRoom() throws(Failure) {
        if start > 0, start >= end - start {
            memmove(buffer!, buffer! + start, end - start)
            (start, end) = (0, end - start)
        }
        guard end == capacity else { return }
        let larger = max(Self.piece, capacity * 2)
        guard let memory = realloc(buffer, larger) else { throw .system(.run, place) }
        (buffer, capacity) = (memory, larger)
    }
}
