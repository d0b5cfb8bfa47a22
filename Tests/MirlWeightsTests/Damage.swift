// Helpers that damage a packed file on purpose and open it.
import MirlPacking
import MirlTestSupport
import MirlWeights
import Testing

typealias Header = Layout.Header
typealias Record = Layout.Record

/// A small file with everything in it: dense, sparse, mixtures, provenance.
let sample = try! Checkpoint(.tiny).packed(.float16, provenance: "made up")
let sampleTensors = Architecture.tiny.tensors + Architecture.tiny.mixtures

func open(_ bytes: [UInt8]) throws -> WeightFile { try bytes.withUnsafeBytes { try WeightFile(copying: $0) } }

/// The line that refuses `bytes`, or nil if they open.
func refusal(_ bytes: [UInt8]) -> String? {
    do {
        _ = try open(bytes)
        return nil
    } catch {
        return "\(error)"
    }
}

func recordOffset(_ name: String) -> Int {
    Header.size + sampleTensors.firstIndex { $0.name == name }! * Record.size
}

extension [UInt8] {
    func integer<T: FixedWidthInteger & BitwiseCopyable>(at offset: Int, as type: T.Type = T.self) -> T {
        withUnsafeBytes { $0.integer(at: offset, as: type) }
    }

    func storing<T: FixedWidthInteger>(_ value: T, at offset: Int) -> [UInt8] {
        var copy = self
        copy.store(value, at: offset)
        return copy
    }

    /// With the header's checksum made right again, so that the checks behind it are reached.
    func sealed() -> [UInt8] {
        let records = integer(at: Header.recordCount, as: UInt32.self)
        let provenance = integer(at: Header.provenanceLength, as: UInt32.self)
        let end = Header.size + Int(records) * Record.size + Int(provenance)
        guard end <= count else { return self }
        return storing(withUnsafeBytes { Checksum(front: $0.slice(0..<end)).value }, at: Header.checksum)
    }

    /// The range of the payload whose record lies at `record`.
    func payload(_ record: Int) -> Range<Int> {
        let start = Int(integer(at: record + Record.offset, as: UInt64.self))
        return start..<start + Int(integer(at: record + Record.length, as: UInt64.self))
    }

    /// With a number in a payload replaced and all checksums right.
    func storingInPayload<T: FixedWidthInteger>(_ value: T, of record: Int, at offset: Int) -> [UInt8] {
        let range = payload(record)
        var copy = storing(value, at: range.lowerBound + offset)
        copy.store(copy.withUnsafeBytes { Checksum($0.slice(range)).value }, at: record + Record.checksum)
        return copy.sealed()
    }
}
