import MirlPacking
import MirlTestSupport
import MirlWeights
import Testing

/// Damaged, truncated and hostile weight files are refused by name, and never crash.
struct DamageTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let bytes: [UInt8]

        init(_ expected: String, _ bytes: [UInt8]) {
            testDescription = expected
            self.bytes = bytes
        }
    }

    static let headerCases = [
        Case("magic is", sample.storing(UInt8(0x88), at: 0)),
        Case("magic is", sample.storing(UInt8(0x0A), at: 5)),
        Case("version is 1, expected 2", sample.storing(UInt32(1), at: Header.version)),
        Case("header length is 64, expected 128", sample.storing(UInt32(64), at: Header.headerLength)),
        Case("file length in the header is", sample.storing(UInt64.max, at: Header.fileLength)),
        Case("record count is 4294967295", sample.storing(UInt32.max, at: Header.recordCount)),
        Case("record count is 1,", sample.storing(UInt32(1), at: Header.recordCount).sealed()),
        Case("header checksum is 0x0", sample.storing(UInt32(0), at: Header.checksum)),
        Case("width is 5, expected an even number", sample.storing(UInt32(5), at: Header.width).sealed()),
        Case("width is 1024, expected 2...512", sample.storing(UInt32(1024), at: Header.width).sealed()),
        Case("patch_embed.proj.weight: rows is 4, expected 8", sample.storing(UInt32(8), at: Header.width).sealed()),
        Case("blocks of level 1 is 0", sample.storing(UInt32(0), at: Header.blocks).sealed()),
        Case("record count is", sample.storing(UInt32(3), at: Header.blocks + 4).sealed()),
        Case("blocks of level 4 is 65", sample.storing(UInt32(65), at: Header.blocks + 12).sealed()),
        Case("refinement is 4294967295", sample.storing(UInt32.max, at: Header.refinement).sealed()),
        Case("heads of level 1 is 0", sample.storing(UInt32(0), at: Header.heads).sealed()),
        Case("heads of level 4 is 3, expected a divisor", sample.storing(UInt32(3), at: Header.heads + 12).sealed()),
        Case("latent.0.attn.temperature: rows", sample.storing(UInt32(4), at: Header.heads + 12).sealed()),
        Case("prompt heads is 5, expected a divisor", sample.storing(UInt32(5), at: Header.promptHeads).sealed()),
        Case("prompt components is 17", sample.storing(UInt32(17), at: Header.promptComponents).sealed()),
        Case("expansion is nan", sample.storing(Double.nan.bitPattern, at: Header.expansion).sealed()),
        Case("expansion is 1e+300", sample.storing((1e300).bitPattern, at: Header.expansion).sealed()),
        Case("ffn.project_in.weight: rows", sample.storing((3.5).bitPattern, at: Header.expansion).sealed()),
        Case("channels of prompt 3 is 2049", sample.storing(UInt32(2049), at: Header.promptChannels + 8).sealed()),
        Case("size of prompt 1 is 257", sample.storing(UInt32(257), at: Header.promptSizes).sealed()),
        Case("prompt3.prompt_param: columns", sample.storing(UInt32(2), at: Header.promptSizes + 8).sealed()),
        Case("provenance length is 65537", sample.storing(UInt32(65537), at: Header.provenanceLength).sealed()),
        Case("gap before patch_embed", sample.storing(UInt32(6), at: Header.provenanceLength).sealed()),
        Case("header's reserved bytes", sample.storing(UInt8(1), at: Header.reserved + 11).sealed()),
        Case(
            "provenance is not UTF-8",
            sample.storing(UInt8(0xFF), at: Header.size + sampleTensors.count * Record.size).sealed()),
    ]

    @Test(arguments: headerCases) func damagedHeaderIsNamed(_ damage: Case) throws {
        let reason = try #require(refusal(damage.bytes))
        #expect(reason.contains(damage.testDescription), "\(reason)")
    }

    /// A tensor that is stored sparse, and its record.
    static let name = "latent.0.attn.qkv.weight"
    static let record = recordOffset(name)

    static let recordCases = [
        Case("name of record 0 is \"Patch_embed", sample.storing(UInt8(0x50), at: Header.size).sealed()),
        Case("name of record", sample.storing(UInt8(0x78), at: record + Record.nameSize - 1).sealed()),
        Case("name of record 1 is", swapped(1, 2)),
        Case("encoding is 2", sample.storing(UInt16(2), at: record + Record.sparse).sealed()),
        Case("stored count", sample.storing(UInt16(0), at: record + Record.sparse).sealed()),
        Case(
            "prompt_param: encoding is 1",
            sample.storing(UInt16(1), at: recordOffset("prompt1.prompt_param") + Record.sparse).sealed()),
        Case(
            "value type is 3, expected 0 (fp32) or 1 (fp16) or 2 (int8)",
            sample.storing(UInt16(3), at: record + Record.valueType).sealed()),
        Case("payload length", sample.storing(UInt16(2), at: record + Record.valueType).sealed()),
        Case("payload length", sample.storing(UInt16(0), at: record + Record.valueType).sealed()),
        Case(
            "bias: value type is 1, expected 0 (fp32)",
            sample.storing(UInt16(1), at: recordOffset("prompt1.linear_layer.bias") + Record.valueType).sealed()),
        Case("rows is 0", sample.storing(UInt32(0), at: record + Record.rows).sealed()),
        Case("columns is 4294967295", sample.storing(UInt32.max, at: record + Record.columns).sealed()),
        Case("stored count is 4294967295", sample.storing(UInt32.max, at: record + Record.count).sealed()),
        Case("payload length", sample.storing(UInt32(1), at: record + Record.count).sealed()),
        Case("payload offset is 0", sample.storing(UInt64(0), at: record + Record.offset).sealed()),
        Case("payload offset", sample.storing(UInt64.max, at: record + Record.offset).sealed()),
        Case(
            "payload offset",
            sample.storing(payloadOffset(record - Record.size), at: record + Record.offset).sealed()),
        Case("payload length is 0", sample.storing(UInt64(0), at: record + Record.length).sealed()),
        Case("payload checksum is 0x1", sample.storing(UInt32(1), at: record + Record.checksum).sealed()),
        Case("reserved bytes", sample.storing(UInt32(1), at: record + Record.reserved).sealed()),
    ]

    /// The sample in 8 bits.
    static let quantized = try! Checkpoint(.tiny).packed(.int8, provenance: "made up")
    static let prompt = recordOffset("prompt1.prompt_param")

    static let quantizedCases = [
        Case(
            "value type is 3, expected 0 (fp32) or 1 (fp16) or 2 (int8)",
            quantized.storing(UInt16(3), at: prompt + Record.valueType).sealed()),
        Case("payload length", quantized.storing(UInt16(1), at: prompt + Record.valueType).sealed()),
        Case("payload length", sample.storing(UInt16(2), at: prompt + Record.valueType).sealed()),
        Case("encoding is 1", quantized.storing(UInt16(1), at: prompt + Record.sparse).sealed()),
        // 3 components of 2 channels have 6 scales and offsets.
        Case("prompt1.prompt_param: padding is not zero", quantized.storingInPayload(UInt8(1), of: prompt, at: 48)),
        Case("prompt1.prompt_param: padding is not zero", quantized.storingInPayload(UInt8(1), of: prompt, at: 63)),
        Case(
            "qkv.weight: padding is not zero",
            quantized.storingInPayload(UInt8(1), of: record, at: eightBits.steps - 1)),
        Case(
            "qkv.weight: padding is not zero",
            quantized.storingInPayload(UInt8(1), of: record, at: eightBits.steps + 8)),
        Case(
            "qkv.weight: offset is 1.0, expected 0",
            quantized.storingInPayload(Float(1).bitPattern, of: record, at: eightBits.steps + 4)),
        Case(
            "qkv.weight: offset is 9.1835e-41, expected 0",
            quantized.storingInPayload(UInt32(0x10000), of: record, at: eightBits.steps + 4)),
    ]

    static let eightBits = Layout.Payload(
        cells: 96, valueType: .int8, count: Int(quantized.integer(at: record + Record.count, as: UInt32.self)),
        groups: 1)

    @Test(arguments: quantizedCases) func damagedValuesOfEightBitsAreNamed(_ damage: Case) throws {
        let reason = try #require(refusal(damage.bytes))
        #expect(reason.contains(damage.testDescription), "\(reason)")
    }

    @Test func verifyFindsAnInfiniteScale() throws {
        for (record, steps) in [(Self.prompt, 0), (Self.record, Self.eightBits.steps)] {
            let infinite = Self.quantized.storingInPayload(Float.infinity.bitPattern, of: record, at: steps)
            let error = try #require(throws: WeightError.self) { try open(infinite).verify() }
            #expect("\(error)".contains("scale or offset 0 is inf"))
        }
    }

    private static func payloadOffset(_ record: Int) -> UInt64 { sample.integer(at: record + Record.offset) }

    /// Two records in each other's place.
    private static func swapped(_ a: Int, _ b: Int) -> [UInt8] {
        var bytes = sample
        for byte in 0..<Record.size {
            bytes.swapAt(Header.size + a * Record.size + byte, Header.size + b * Record.size + byte)
        }
        return bytes.sealed()
    }

    @Test(arguments: recordCases) func damagedRecordIsNamed(_ damage: Case) throws {
        let reason = try #require(refusal(damage.bytes))
        #expect(reason.contains(damage.testDescription), "\(reason)")
    }

    /// `latent.0.attn.qkv.weight` has 96 rows of 32 columns in the sample.
    static let count = Int(sample.integer(at: record + Record.count, as: UInt32.self))
    static let layout = Layout.Payload(cells: 96, valueType: .float16, count: count, groups: 1)

    static let payloadCases = [
        Case("first cell's start is 1", sample.storingInPayload(UInt32(1), of: record, at: 0)),
        Case(
            "cell 49 begins at 477; its end is 4294967295, expected at most 32 behind that",
            sample.storingInPayload(UInt32.max, of: record, at: 4 * 50)),
        Case(
            "cell 49 begins at 477; its end is 0, expected at most 32 behind that",
            sample.storingInPayload(UInt32(0), of: record, at: 4 * 50)),
        Case("last cell's end is", sample.storingInPayload(UInt32(count) + 1, of: record, at: 4 * 96)),
        Case(
            "column in a cell is 32, expected below 32",
            sample.storingInPayload(UInt8(32), of: record, at: layout.columns)),
        Case(
            "column in a cell is 255",
            sample.storingInPayload(UInt8.max, of: record, at: layout.columns + count - 1)),
        Case("padding is not zero", sample.storingInPayload(UInt8(1), of: record, at: 4 * 97)),
        Case("padding is not zero", sample.storingInPayload(UInt8(1), of: record, at: layout.values - 1)),
    ]

    @Test(arguments: payloadCases) func damagedPayloadIsNamed(_ damage: Case) throws {
        let reason = try #require(refusal(damage.bytes))
        #expect(reason.hasPrefix(Self.name + ": " + damage.testDescription), "\(reason)")
    }

    @Test func verifyFindsWhatOpeningMayIgnore() throws {
        let infinite = sample.storingInPayload(Float16.infinity.bitPattern, of: Self.record, at: Self.layout.values)
        #expect(throws: WeightError.self) { try open(infinite).verify() }
        let columns = Self.layout.columns
        let first: UInt8 = sample.integer(at: sample.payload(Self.record).lowerBound + columns)
        let repeated = sample.storingInPayload(first, of: Self.record, at: columns + 1)
        #expect(throws: WeightError.self) { try open(repeated).verify() }
    }

    /// The wide network's `latent.0.ffn.project_out` has rows of 297 columns, in cells of 149 and 148.
    @Test(arguments: [
        (147, nil), (148, "column in a row's last cell is 148, expected below 148"),
        (149, "column in a cell is 149, expected below 149"),
    ])
    func aColumnBeyondItsCellIsNamed(column: UInt8, expected: String?) throws {
        let name = "latent.0.ffn.project_out.weight"
        let record = Header.size + Architecture.wide.tensors.firstIndex { $0.name == name }! * Record.size
        let wide = try Checkpoint(.wide, density: 0.5).packed(.float16)
        let rows: UInt32 = wide.integer(at: record + Record.rows)
        let count: UInt32 = wide.integer(at: record + Record.count)
        let layout = Layout.Payload(cells: 2 * Int(rows), valueType: .float16, count: Int(count), groups: 1)
        let reason = refusal(wide.storingInPayload(column, of: record, at: layout.columns + Int(count) - 1))
        #expect(reason == expected.map { "\(name): \($0)" })
    }

    @Test func everyTruncationIsRefused() {
        for length in 0..<sample.count {
            #expect(refusal(Array(sample.prefix(length))) != nil, "\(length) bytes")
        }
    }

    @Test func truncationsThatAdmitTheirLengthAreRefused() {
        for length in stride(from: Header.size, to: sample.count, by: 61) {
            let bytes = Array(sample.prefix(length)).storing(UInt64(length), at: Header.fileLength).sealed()
            #expect(refusal(bytes) != nil, "\(length) bytes")
        }
    }

    @Test func anyTrailingByteIsRefused() throws {
        let longer = (sample + [0]).storing(UInt64(sample.count + 1), at: Header.fileLength).sealed()
        #expect(try #require(refusal(longer)).hasPrefix("file length is"))
    }

    @Test func anyFlippedBitIsRefused() {
        var random = Random(seed: 3)
        for _ in 0..<3000 {
            let position = Int.random(in: 0..<sample.count, using: &random)
            let damaged = sample.storing(sample[position] ^ 1 << UInt8.random(in: 0..<8, using: &random), at: position)
            #expect(refusal(damaged) != nil, "byte \(position)")
        }
    }

    /// With right checksums some damage cannot be seen; what opens must then be safe to read to the last index.
    @Test func randomDamageBehindTheChecksumsNeverCrashes() {
        var random = Random(seed: 4)
        for _ in 0..<1500 {
            let record = Header.size + Record.size * Int.random(in: 0..<sampleTensors.count, using: &random)
            let inPayload = Bool.random(using: &random)
            let place = inPayload
                ? Int.random(in: 0..<sample.payload(record).count, using: &random)
                : Int.random(in: 0..<Record.size, using: &random)
            let value = UInt8.random(in: 0...255, using: &random)
            let damaged = inPayload
                ? sample.storingInPayload(value, of: record, at: place)
                : sample.storing(value, at: record + place).sealed()
            guard let file = try? open(damaged) else { continue }
            for spec in file.tensors { _ = file.matrix(spec.name)?.dense }
        }
    }

    @Test func foreignFilesAreRefused() {
        #expect(refusal([]) == "file length is 0, expected at least 128")
        #expect(refusal(Array("just some text".utf8)) != nil)
        #expect(refusal(Array(repeating: 0, count: 4096)) != nil)
    }

    @Test(arguments: ["/nonexistent/weights.mirl", "/dev/zero", "/", "/dev/null"])
    func whatIsNoRegularFileIsRefused(path: String) {
        #expect(throws: WeightError.self) { try WeightFile(path: path) }
    }
}
