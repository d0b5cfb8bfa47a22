/// CRC-32C is the published one, with and without the instruction.
import MirlKernels
import MirlTestSupport
import Testing

struct ChecksumTests {
    /// RFC 3720, appendix B.4.
    @Test(arguments: [
        (Array("123456789".utf8), 0xE306_9283), (Array(repeating: 0, count: 32), 0x8A91_36AA),
        (Array(repeating: 0xFF, count: 32), 0x62A8_AB43), (Array(0..<32), 0x46DD_794E),
    ] as [([UInt8], UInt32)])
    func publishedVectors(bytes: [UInt8], checksum: UInt32) {
        #expect(mirlk_crc32c(0, bytes, bytes.count) == checksum)
        #expect(mirlk_crc32c_portable(0, bytes, bytes.count) == checksum)
    }

    @Test func bothWaysAgreeAtAnyLengthAndAlignment() {
        var random = Random(seed: 5)
        let bytes = (0..<20_000).map { _ in UInt8.random(in: 0...255, using: &random) }
        bytes.withUnsafeBytes { bytes in
            for _ in 0..<300 {
                let start = Int.random(in: 0..<64, using: &random)
                let count = Int.random(in: 0...bytes.count - start, using: &random)
                let crc = UInt32.random(in: 0...UInt32.max, using: &random)
                let address = bytes.baseAddress! + start
                #expect(mirlk_crc32c(crc, address, count) == mirlk_crc32c_portable(crc, address, count))
            }
        }
    }
}
