import MirlKernels
import MirlTestSupport
import Testing

/// CRC-32C is the published one, whatever instructions compute it.
struct ChecksumTests {
    /// Those that this processor can go.
    let ways = (0..<Int32(MIRLK_CRC32C_WAYS)).compactMap { mirlk_crc32c_ways($0) }

    /// RFC 3720, appendix B.4.
    @Test(arguments: [
        (Array("123456789".utf8), 0xE306_9283), (Array(repeating: 0, count: 32), 0x8A91_36AA),
        (Array(repeating: 0xFF, count: 32), 0x62A8_AB43), (Array(0..<32), 0x46DD_794E),
    ] as [([UInt8], UInt32)])
    func publishedVectors(bytes: [UInt8], checksum: UInt32) {
        for way in ways { #expect(way(0, bytes, bytes.count) == checksum) }
        #expect(mirlk_crc32c(0, bytes, bytes.count) == checksum)
    }

    @Test func allWaysAgreeAtAnyLengthAndAlignment() {
        var random = Random(seed: 5)
        let bytes = (0..<20_000).map { _ in UInt8.random(in: 0...255, using: &random) }
        bytes.withUnsafeBytes { bytes in
            for _ in 0..<300 {
                let start = Int.random(in: 0..<64, using: &random)
                let most = Bool.random(using: &random) ? 1000 : bytes.count - start
                let count = Int.random(in: 0...most, using: &random)
                let crc = UInt32.random(in: 0...UInt32.max, using: &random)
                let address = bytes.baseAddress! + start
                let expected = ways[0](crc, address, count)
                for way in ways { #expect(way(crc, address, count) == expected) }
                #expect(mirlk_crc32c(crc, address, count) == expected)
            }
        }
    }
}
