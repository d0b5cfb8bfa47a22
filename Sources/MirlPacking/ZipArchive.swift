import MirlWeights

/// The files in a zip archive, as far as PyTorch's checkpoints need it: not compressed, not encrypted, in one part.
/// APPNOTE.TXT of PKWARE, 6.3.10, names the fields.
struct ZipArchive {
    struct Entry {
        /// The bytes of its header and of its content in the archive.
        let header, content: Range<Int>
        let checksum: UInt32
    }

    let bytes: UnsafeRawBufferPointer
    private(set) var entries: [String: Entry] = [:]

    private static let maximumEntries = 100_000

    /// Reads the directory of the archive in `bytes` and checks that its entries lie apart from each other.
    init(_ bytes: UnsafeRawBufferPointer) throws(PackError) {
        self.bytes = bytes
        let directory = try ZipDirectory(bytes)
        guard directory.count <= Self.maximumEntries else {
            throw PackError("zip directory has \(directory.count) entries, expected at most \(Self.maximumEntries)")
        }
        var position = directory.range.lowerBound
        for _ in 0..<directory.count {
            let record = try ZipRecord(bytes, at: position, directory: directory.range)
            guard entries.updateValue(try record.entry(in: bytes), forKey: record.name) == nil else {
                throw PackError("\(printable(record.name.utf8)) is twice in the zip directory")
            }
            position = record.end
        }
        try checkOverlaps()
    }

    /// The content of `name`, after a look at its checksum.
    func content(of name: String) throws(PackError) -> UnsafeRawBufferPointer {
        guard let entry = entries[name] else { throw PackError("\(printable(name.utf8)) is not in the zip archive") }
        let content = bytes.slice(entry.content)
        // PyTorch writes 0 where it was told not to take the time.
        guard entry.checksum == 0 || entry.checksum == crc32(content) else {
            throw PackError("\(printable(name.utf8)): checksum is wrong, the file is damaged")
        }
        return content
    }

    private func checkOverlaps() throws(PackError) {
        var end = 0
        for (name, entry) in entries.sorted(by: { $0.value.header.lowerBound < $1.value.header.lowerBound }) {
            guard entry.header.lowerBound >= end else {
                throw PackError("\(printable(name.utf8)) overlaps another entry of the zip archive")
            }
            end = entry.content.upperBound
        }
    }
}

/// The end of the directory, which is found from the end of the file.
private struct ZipDirectory {
    let range: Range<Int>
    let count: Int

    private static let signature: UInt32 = 0x0605_4B50, size = 22, longestComment = 65535
    private static let locatorSignature: UInt32 = 0x0706_4B50, locatorSize = 20
    private static let signature64: UInt32 = 0x0606_4B50, size64 = 56

    init(_ bytes: UnsafeRawBufferPointer) throws(PackError) {
        let last = bytes.count - Self.size, first = max(0, last - Self.longestComment)
        let end = stride(from: last, through: first, by: -1).first {
            bytes[$0] == UInt8(ascii: "P") && bytes.integer(at: $0) == Self.signature
                && $0 + Self.size + Int(bytes.integer(at: $0 + 20) as UInt16) == bytes.count
        }
        guard let end else { throw PackError("zip directory is missing, the file is cut off or damaged") }
        var count = UInt64(bytes.integer(at: end + 10) as UInt16)
        var size = UInt64(bytes.integer(at: end + 12) as UInt32)
        var start = UInt64(bytes.integer(at: end + 16) as UInt32)
        if count == 0xFFFF || size == 0xFFFF_FFFF || start == 0xFFFF_FFFF {
            let record = try Self.record64(bytes, before: end)
            count = bytes.integer(at: record + 32)
            size = bytes.integer(at: record + 40)
            start = bytes.integer(at: record + 48)
        }
        guard start <= UInt64(end), size <= UInt64(end) - start, count <= size / UInt64(ZipRecord.size) else {
            throw PackError("zip directory of \(count) entries in \(size) bytes at byte \(start) cannot be")
        }
        range = Int(start)..<Int(start + size)
        self.count = Int(count)
    }

    private static func record64(_ bytes: UnsafeRawBufferPointer, before end: Int) throws(PackError) -> Int {
        let locator = end - locatorSize
        guard locator >= size64, bytes.integer(at: locator) == locatorSignature else {
            throw PackError("zip64 locator is missing")
        }
        let record: UInt64 = bytes.integer(at: locator + 8)
        guard record <= UInt64(locator - size64), bytes.integer(at: Int(record)) == signature64 else {
            throw PackError("zip64 directory end is not where its locator says")
        }
        return Int(record)
    }
}

/// A record of the directory.
private struct ZipRecord {
    let name: String
    /// Where the next record begins.
    let end: Int
    private let nameBytes: UnsafeRawBufferPointer
    private let checksum: UInt32
    private var size, stored, header: UInt64
    /// The headers and contents lie before it.
    private let limit: Int

    static let size = 46
    private static let signature: UInt32 = 0x0201_4B50
    private static let headerSignature: UInt32 = 0x0403_4B50, headerSize = 30

    init(_ bytes: UnsafeRawBufferPointer, at start: Int, directory: Range<Int>) throws(PackError) {
        guard directory.upperBound - start >= Self.size, bytes.integer(at: start) == Self.signature else {
            throw PackError("zip directory is damaged at byte \(start)")
        }
        func short(_ offset: Int) -> Int { Int(bytes.integer(at: start + offset) as UInt16) }
        func long(_ offset: Int) -> UInt64 { UInt64(bytes.integer(at: start + offset) as UInt32) }
        let nameEnd = start + Self.size + short(28), extraEnd = nameEnd + short(30)
        end = extraEnd + short(32)
        guard end <= directory.upperBound else { throw PackError("zip directory is damaged at byte \(start)") }
        nameBytes = bytes.slice(start + Self.size..<nameEnd)
        name = String(decoding: nameBytes, as: UTF8.self)
        limit = directory.lowerBound
        checksum = bytes.integer(at: start + 16)
        stored = long(20)
        size = long(24)
        header = long(42)
        guard short(8) & 1 == 0 else { throw PackError("\(printable(nameBytes)) is encrypted") }
        guard short(10) == 0 else {
            let name = printable(nameBytes)
            throw PackError("\(name) is compressed, unlike what PyTorch writes; unpack it and zip it with -0")
        }
        try readLongSizes(bytes.slice(nameEnd..<extraEnd))
    }

    /// What does not fit the record's fields is in the zip64 extra field, in this order.
    private mutating func readLongSizes(_ extra: UnsafeRawBufferPointer) throws(PackError) {
        let saturated: [WritableKeyPath<ZipRecord, UInt64>] = [\.size, \.stored, \.header].filter {
            self[keyPath: $0] == 0xFFFF_FFFF
        }
        guard !saturated.isEmpty else { return }
        var position = 0
        while position + 4 <= extra.count {
            let tag: UInt16 = extra.integer(at: position), length = Int(extra.integer(at: position + 2) as UInt16)
            position += 4
            if tag == 1, length >= 8 * saturated.count, length <= extra.count - position {
                for (n, field) in saturated.enumerated() { self[keyPath: field] = extra.integer(at: position + 8 * n) }
                return
            }
            position += length
        }
        throw PackError("\(printable(nameBytes)) has no zip64 sizes")
    }

    /// Follows the record to the entry's header and content.
    func entry(in bytes: UnsafeRawBufferPointer) throws(PackError) -> ZipArchive.Entry {
        guard size == stored else {
            throw PackError("\(printable(nameBytes)): sizes are \(stored) and \(size), but it is not compressed")
        }
        guard header <= UInt64(max(0, limit - Self.headerSize)), limit >= Self.headerSize,
            bytes.integer(at: Int(header)) == Self.headerSignature
        else { throw PackError("\(printable(nameBytes)): header is not where the zip directory says") }
        let nameStart = Int(header) + Self.headerSize
        let nameEnd = nameStart + Int(bytes.integer(at: Int(header) + 26) as UInt16)
        let start = nameEnd + Int(bytes.integer(at: Int(header) + 28) as UInt16)
        guard start <= limit, size <= UInt64(limit - start) else {
            let content = "\(size) bytes at byte \(start)"
            throw PackError("\(printable(nameBytes)): \(content) do not lie before the zip directory")
        }
        guard bytes.slice(nameStart..<nameEnd).elementsEqual(nameBytes) else {
            throw PackError("\(printable(nameBytes)) has another name in its own header")
        }
        return ZipArchive.Entry(header: Int(header)..<start, content: start..<start + Int(size), checksum: checksum)
    }
}
