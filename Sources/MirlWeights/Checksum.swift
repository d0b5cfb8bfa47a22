import MirlKernels

/// CRC-32C over pieces of memory.
package struct Checksum {
    package private(set) var value: UInt32 = 0

    package init() {}

    package init(_ bytes: UnsafeRawBufferPointer) { add(bytes) }

    package mutating func add(_ bytes: UnsafeRawBufferPointer) {
        value = mirlk_crc32c(value, bytes.baseAddress, bytes.count)
    }

    /// The checksum of the header, records and provenance, as if its own field were zero.
    package init(front bytes: UnsafeRawBufferPointer) {
        let field = Layout.Header.checksum
        add(bytes.slice(0..<field))
        withUnsafeBytes(of: UInt32(0)) { add($0) }
        add(bytes.slice(field + 4..<bytes.count))
    }
}
