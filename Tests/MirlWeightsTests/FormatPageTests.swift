import Foundation
import MirlTestSupport
import Testing

/// A file read by nothing but the tables of mirl-weights(5) is what was packed.
struct FormatPageTests {
    private static let checkpoint = Checkpoint(.tiny, density: 0.3, seed: 5)
    private static let halves = try! checkpoint.packed(.float16, provenance: "Köln, 2026")
    private static let bytes = try! checkpoint.packed(.int8, provenance: "Köln, 2026")
    private var file = halves

    /// The header and a record, as the page has them.
    private static let tables: [[Field]] = {
        let page = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../man/mirl-weights.5")
        let text = (try? String(contentsOf: page, encoding: .utf8)) ?? ""
        return text.components(separatedBy: ".Bl -column \"Offset\"").dropFirst().map { table in
            table.components(separatedBy: "\n.El")[0].matches(
                of: /\n\.It (\d+) Ta (\w)(\d+)(?:\[(\d+)\])? Ta (.+)/
            ).map {
                Field(
                    offset: Int($0.1)!, size: Int($0.3)! / 8 * ($0.4.map { Int($0)! } ?? 1), meaning: String($0.5))
            }
        }
    }()

    private struct Field {
        var offset, size: Int
        var meaning: String
    }

    /// The number that the page describes so, in the header or in a record.
    private func number(_ meaning: String, _ table: Int, at place: Int = 0) throws -> Int {
        let field = try #require(Self.tables[table].first { $0.meaning.hasPrefix(meaning) }, "\(meaning)")
        return integer(at: place + field.offset, size: field.size)
    }

    private func integer(at place: Int, size: Int) -> Int {
        file[place..<place + size].reversed().reduce(0) { $0 << 8 | Int($1) }
    }

    /// CRC-32C bit by bit, as RFC 3720 defines it.
    private func checksum(_ bytes: some Sequence<UInt8>) -> Int {
        var crc = UInt32.max
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0x82F6_3B78 : crc >> 1 }
        }
        return Int(~crc)
    }

    @Test(arguments: [(0, 128), (1, 96)])
    func fieldsLeaveNoGap(table: Int, length: Int) {
        var end = 0
        for field in Self.tables[table] {
            #expect(field.offset == end, "\(field.meaning)")
            end += field.size
        }
        #expect(end == length)
    }

    @Test func theHeader() throws {
        let magic = try #require(Self.tables[0][0].meaning.firstMatch(of: /magic: ([0-9A-F ]+)/)?.1)
        #expect(file.prefix(8).elementsEqual(magic.split(separator: " ").map { UInt8($0, radix: 16)! }))
        #expect(try number("version", 0) == 2)
        #expect(try number("length of the header", 0) == 128)
        #expect(try number("length of the file", 0) == file.count)
        #expect(try number("count of records", 0) == Self.checkpoint.tensors.count)
        let records = try 128 + 96 * number("count of records", 0)
        let provenance = try number("length of the provenance", 0)
        #expect(String(decoding: file[records..<records + provenance], as: UTF8.self) == "Köln, 2026")
        var front = file.prefix(records + provenance)
        front.replaceSubrange(28..<32, with: [0, 0, 0, 0])
        #expect(try number("checksum of header, records and provenance", 0) == checksum(front))
    }

    @Test(arguments: [halves, bytes]) mutating func recordsAndPayloads(_ bytes: [UInt8]) throws {
        file = bytes
        let count = try number("count of records", 0)
        var end = try 128 + 96 * count + number("length of the provenance", 0)
        var sparse = 0
        for place in stride(from: 128, to: 128 + 96 * count, by: 96) {
            let name = String(decoding: file[place..<place + 56].prefix { $0 > 0 }, as: UTF8.self)
            let start = try number("offset of the payload", 1, at: place)
            #expect(start == (end + 63) / 64 * 64, "\(name)")
            #expect(file[end..<start].allSatisfy { $0 == 0 }, "\(name)")
            end = try start + number("length of the payload", 1, at: place)
            #expect(try number("checksum of the payload", 1, at: place) == checksum(file[start..<end]), "\(name)")
            #expect(try lengthAsDescribed(of: place, payload: start) == end - start, "\(name)")
            sparse += try number("encoding", 1, at: place)
        }
        #expect(end == file.count)
        #expect(sparse > 0)
    }

    /// What the arrays of the payload take.
    private func lengthAsDescribed(of record: Int, payload: Int) throws -> Int {
        let stored = try number("count of stored values", 1, at: record), rows = try number("rows", 1, at: record)
        let type = try number("type of the values", 1, at: record)
        let name = String(decoding: file[record..<record + 56].prefix { $0 > 0 }, as: UTF8.self)
        var groups = 1
        if name.hasSuffix("prompt_param") {
            let sides = try #require(Self.tables[0].first { $0.meaning.hasPrefix("side") }).offset
            let side = integer(at: sides + 4 * (Int(name.dropFirst(6).prefix(1))! - 1), size: 4)
            groups = stored / (side * side)
        }
        let values = type == 2 ? (8 * groups + 63) / 64 * 64 + stored : stored * (type == 0 ? 4 : 2)
        guard try number("encoding", 1, at: record) == 1 else {
            #expect(try stored == rows * number("columns", 1, at: record))
            return values
        }
        let cells = try rows * ((number("columns", 1, at: record) + 255) / 256)
        #expect(integer(at: payload, size: 4) == 0)
        #expect(integer(at: payload + 4 * cells, size: 4) == stored)
        let columns = (4 * (cells + 1) + 63) / 64 * 64
        return (columns + stored + 63) / 64 * 64 + values
    }
}
