/// Little-endian numbers at any offset; the caller has made sure that they lie inside.
extension UnsafeRawBufferPointer {
    package func integer<T: FixedWidthInteger & BitwiseCopyable>(at offset: Int, as type: T.Type = T.self) -> T {
        T(littleEndian: loadUnaligned(fromByteOffset: offset, as: T.self))
    }

    /// A 32-bit number, which always fits.
    package func number(at offset: Int) -> Int { Int(integer(at: offset, as: UInt32.self)) }

    package func numbers(_ count: Int, at offset: Int) -> [Int] { (0..<count).map { number(at: offset + 4 * $0) } }

    package func slice(_ range: Range<Int>) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: self[range]) }

    package func isZero(_ range: Range<Int>) -> Bool { slice(range).allSatisfy { $0 == 0 } }
}
