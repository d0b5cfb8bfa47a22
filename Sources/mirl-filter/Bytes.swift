import Glibc

/// Bytes in malloc'ed memory, freed with it: the whole of a file.
struct Bytes: ~Copyable {
    private let data: UnsafeMutableRawPointer?
    private let count: Int

    /// Takes over memory from malloc.
    init(owning data: UnsafeMutableRawPointer?, count: Int) {
        self.data = data
        self.count = count
    }

    init(count: Int, place: String) throws(Failure) {
        guard let data = malloc(count) else { throw .system(.run, place) }
        self.init(owning: data, count: count)
    }

    deinit { free(data) }

    var contents: UnsafeMutableRawBufferPointer { UnsafeMutableRawBufferPointer(start: data, count: count) }
}
