/// The checked beginning of a weight file: header, records and provenance, on whose checksum all that follows relies.
struct FrontMatter {
    let bytes: UnsafeRawBufferPointer
    let architecture: Architecture
    let recordCount: Int
    let provenance: String
    /// Where the provenance ends and the payloads may begin.
    let end: Int

    private typealias Header = Layout.Header

    init(_ bytes: UnsafeRawBufferPointer) throws(WeightError) {
        try Self.identify(bytes)
        self.bytes = bytes
        recordCount = bytes.number(at: Header.recordCount)
        let provenanceLength = bytes.number(at: Header.provenanceLength)
        end = try Self.end(bytes, recordCount: recordCount, provenanceLength: provenanceLength)

        let checksum: UInt32 = bytes.integer(at: Header.checksum)
        let computed = Checksum(front: bytes.slice(0..<end)).value
        try require(checksum == computed, "header checksum", is: hexadecimal(checksum), expected: hexadecimal(computed))
        try require(
            bytes.isZero(Header.reserved..<Header.size), "header's reserved bytes", is: "not zero", expected: "zero")

        architecture = Self.architecture(bytes)
        try architecture.validate()
        let text = bytes.slice(end - provenanceLength..<end)
        guard let valid = String(validating: text, as: UTF8.self) else {
            throw .invalid(field: "provenance", declared: "not UTF-8", expected: "UTF-8")
        }
        provenance = valid
    }

    private static func identify(_ bytes: UnsafeRawBufferPointer) throws(WeightError) {
        try require(
            bytes.count >= Header.size, "file length", is: bytes.count, expected: "at least \(Header.size)")
        let magic: UInt64 = bytes.integer(at: Header.magic)
        try require(
            magic == Layout.magic, "magic", is: printable(bytes.slice(0..<8)), expected: "that of a mirl weight file")
        let version: UInt32 = bytes.integer(at: Header.version)
        try require(version == Layout.version, "version", is: version, expected: Layout.version)
        let headerLength = bytes.number(at: Header.headerLength)
        try require(headerLength == Header.size, "header length", is: headerLength, expected: Header.size)
        let fileLength: UInt64 = bytes.integer(at: Header.fileLength)
        try require(
            fileLength == UInt64(bytes.count), "file length in the header", is: fileLength, expected: bytes.count)
    }

    private static func end(
        _ bytes: UnsafeRawBufferPointer, recordCount: Int, provenanceLength: Int
    ) throws(WeightError) -> Int {
        let most = (bytes.count - Header.size) / Layout.Record.size
        try require(recordCount <= most, "record count", is: recordCount, expected: "at most \(most), as the file ends")
        try require(
            provenanceLength <= Layout.maximumProvenance, "provenance length", is: provenanceLength,
            expected: "at most \(Layout.maximumProvenance)")
        let end = Header.size + recordCount * Layout.Record.size + provenanceLength
        try require(
            end <= bytes.count, "provenance length", is: provenanceLength,
            expected: "at most \(bytes.count - end + provenanceLength), as the file ends")
        return end
    }

    private static func architecture(_ bytes: UnsafeRawBufferPointer) -> Architecture {
        var result = Architecture()
        result.width = bytes.number(at: Header.width)
        result.blocks = bytes.numbers(4, at: Header.blocks)
        result.refinement = bytes.number(at: Header.refinement)
        result.heads = bytes.numbers(4, at: Header.heads)
        result.promptHeads = bytes.number(at: Header.promptHeads)
        result.promptComponents = bytes.number(at: Header.promptComponents)
        result.expansion = Double(bitPattern: bytes.integer(at: Header.expansion))
        result.promptChannels = bytes.numbers(3, at: Header.promptChannels)
        result.promptSizes = bytes.numbers(3, at: Header.promptSizes)
        return result
    }
}
