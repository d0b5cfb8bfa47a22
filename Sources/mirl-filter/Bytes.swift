import Glibc

/// Bytes in malloc'ed memory, freed with it: the whole of a file or of a stream.
struct Bytes: ~Copyable {
    private(set) var data: UnsafeMutableRawPointer?
    private(set) var count = 0

    /// Takes over memory from malloc.
    init(owning data: UnsafeMutableRawPointer?, count: Int) {
        self.data = data
        self.count = count
    }

    init(copying text: String) {
        data = UnsafeMutableRawPointer(strdup(text))
        count = text.utf8.count
    }

    deinit { free(data) }

    /// The most that is taken from a stream that does not end.
    static let limit = 2 << 30

    /// Reads `descriptor` to its end; messages call it `place`.
    init(reading descriptor: Int32, place: String) throws(Failure) {
        var capacity = 0
        while true {
            if count == capacity {
                guard count < Self.limit else { throw Failure(.input, "\(place): more than \(Self.limit >> 30) GiB") }
                capacity = max(64 << 10, capacity * 2)
                guard let larger = realloc(data, capacity) else { throw .system(.run, place) }
                data = larger
            }
            let received = read(descriptor, data! + count, capacity - count)
            if received == 0 { return }
            if received > 0 { count += received } else if errno != EINTR { throw .system(.input, place) }
        }
    }

    /// Writes everything to `descriptor`; messages call it `place`.
    func write(to descriptor: Int32, place: String) throws(Failure) {
        var written = 0
        while written < count {
            let accepted = Glibc.write(descriptor, data! + written, count - written)
            if accepted >= 0 { written += accepted } else if errno != EINTR { throw .system(.run, place) }
        }
    }
}
