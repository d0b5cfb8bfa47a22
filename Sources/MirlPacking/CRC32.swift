// The checksum of zip archives (ISO 3309): CRC-32 with the reflected polynomial EDB88320, eight bytes at a time.
import MirlWeights

/// At 256 n + b the checksum of byte b with n zero bytes behind it.
private let table: [UInt32] = {
    func shifted(_ crc: UInt32) -> UInt32 { crc >> 1 ^ (crc & 1) * 0xEDB8_8320 }
    var tables = [(0..<256).map { byte in (0..<8).reduce(UInt32(byte)) { crc, _ in shifted(crc) } }]
    for n in 1..<8 { tables.append(tables[n - 1].map { $0 >> 8 ^ tables[0][Int($0 & 0xFF)] }) }
    return Array(tables.joined())
}()

package func crc32(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    var crc = UInt32.max
    let whole = bytes.count & -8
    table.withUnsafeBufferPointer { table in
        for start in stride(from: 0, to: whole, by: 8) {
            let word = bytes.integer(at: start, as: UInt64.self) ^ UInt64(crc)
            crc = 0
            for n in 0..<8 { crc ^= table[(7 - n) * 256 + Int(word >> (8 * UInt64(n)) & 0xFF)] }
        }
        for byte in bytes[whole...] { crc = crc >> 8 ^ table[Int(UInt8(truncatingIfNeeded: crc) ^ byte)] }
    }
    return ~crc
}
