import MirlWeights

/// A strict JSON reader (RFC 8259): unlike lenient ones it refuses repeated keys, so that no two readers of a file can
/// see different things in it.
enum JSON: Equatable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case array([JSON])
    case object([String: JSON])

    init(parsing bytes: some Sequence<UInt8>) throws(PackError) {
        var parser = JSONParser(bytes: Array(bytes))
        self = try parser.parseDocument()
    }

    /// The value if it is an integer that a Double holds exactly.
    var integer: Int? {
        guard case .number(let value) = self else { return nil }
        return abs(value) <= 0x1p53 ? Int(exactly: value) : nil
    }

    var integers: [Int]? {
        guard case .array(let items) = self else { return nil }
        let numbers = items.compactMap(\.integer)
        return numbers.count == items.count ? numbers : nil
    }

    var string: String? {
        if case .string(let text) = self { text } else { nil }
    }
}

private struct JSONParser {
    let bytes: [UInt8]
    var position = 0
    private var valueCount = 0
    private static let maximumDepth = 32
    /// Fifty times what the header for the paper's network holds. A value takes many times the two bytes of its text.
    private static let maximumValues = 1 << 18

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func parseDocument() throws(PackError) -> JSON {
        let value = try parseValue(depth: 0)
        skipSpace()
        guard position == bytes.count else { throw failure("text after the end") }
        return value
    }

    private func failure(_ reason: String) -> PackError { PackError("JSON at byte \(position): \(reason)") }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = next, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { position += 1 }
    }

    private mutating func take(_ byte: Character) -> Bool {
        guard next == byte.asciiValue else { return false }
        position += 1
        return true
    }

    private mutating func expect(_ byte: Character) throws(PackError) {
        guard take(byte) else { throw failure("\(byte) expected") }
    }

    private mutating func parseValue(depth: Int) throws(PackError) -> JSON {
        guard depth < Self.maximumDepth else { throw failure("nested too deeply") }
        valueCount += 1
        guard valueCount <= Self.maximumValues else { throw failure("more than \(Self.maximumValues) values") }
        skipSpace()
        return switch next {
        case UInt8(ascii: "{"): .object(try parseObject(depth: depth))
        case UInt8(ascii: "["): .array(try parseArray(depth: depth))
        case UInt8(ascii: "\""): .string(try parseString())
        case UInt8(ascii: "t"): try parseWord("true", .bool(true))
        case UInt8(ascii: "f"): try parseWord("false", .bool(false))
        case UInt8(ascii: "n"): try parseWord("null", .null)
        default: .number(try parseNumber())
        }
    }

    private mutating func parseWord(_ word: String, _ value: JSON) throws(PackError) -> JSON {
        guard bytes[position...].starts(with: word.utf8) else { throw failure("\(word) expected") }
        position += word.utf8.count
        return value
    }

    private mutating func parseObject(depth: Int) throws(PackError) -> [String: JSON] {
        var members: [String: JSON] = [:]
        try parseItems(from: "{", to: "}") { (parser) throws(PackError) in
            let key = try parser.parseString()
            parser.skipSpace()
            try parser.expect(":")
            let value = try parser.parseValue(depth: depth + 1)
            guard members.updateValue(value, forKey: key) == nil else {
                throw parser.failure("key \(printable(key.utf8)) repeated")
            }
        }
        return members
    }

    private mutating func parseArray(depth: Int) throws(PackError) -> [JSON] {
        var items: [JSON] = []
        try parseItems(from: "[", to: "]") { (parser) throws(PackError) in
            items.append(try parser.parseValue(depth: depth + 1))
        }
        return items
    }

    private mutating func parseItems(
        from open: Character, to close: Character, _ parseItem: (inout JSONParser) throws(PackError) -> Void
    ) throws(PackError) {
        try expect(open)
        skipSpace()
        if take(close) { return }
        repeat {
            skipSpace()
            try parseItem(&self)
            skipSpace()
        } while take(",")
        try expect(close)
    }

    private mutating func parseNumber() throws(PackError) -> Double {
        let start = position
        _ = take("-")
        let integer = skipDigits()
        guard integer.count == 1 || integer.count > 1 && bytes[integer.lowerBound] != UInt8(ascii: "0") else {
            throw failure("value expected")
        }
        if take("."), skipDigits().isEmpty { throw failure("digit expected") }
        if take("e") || take("E") {
            if !take("-") { _ = take("+") }
            if skipDigits().isEmpty { throw failure("digit expected") }
        }
        guard let value = Double(String(decoding: bytes[start..<position], as: UTF8.self)), value.isFinite else {
            throw failure("number out of range")
        }
        return value
    }

    private mutating func skipDigits() -> Range<Int> {
        let start = position
        while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
        return start..<position
    }

    private mutating func parseString() throws(PackError) -> String {
        try expect("\"")
        var text: [UInt8] = []
        while let byte = next, byte != UInt8(ascii: "\"") {
            guard byte >= 0x20 else { throw failure("control character in a string") }
            position += 1
            if byte == UInt8(ascii: "\\") {
                text += try parseEscape()
            } else {
                text.append(byte)
            }
        }
        try expect("\"")
        guard let string = String(validating: text, as: UTF8.self) else { throw failure("string is not UTF-8") }
        return string
    }

    private mutating func parseEscape() throws(PackError) -> [UInt8] {
        guard let byte = next else { throw failure("unfinished escape") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"): return try parseCodePoint()
        default: throw failure("unknown escape")
        }
    }

    private mutating func parseCodePoint() throws(PackError) -> [UInt8] {
        var units = [try parseCodeUnit()]
        if UTF16.isLeadSurrogate(units[0]), take("\\"), take("u") { units.append(try parseCodeUnit()) }
        guard let string = String(validating: units, as: UTF16.self) else { throw failure("lone surrogate") }
        return Array(string.utf8)
    }

    private mutating func parseCodeUnit() throws(PackError) -> UInt16 {
        let digits = bytes[position...].prefix(4)
        let text = String(decoding: digits, as: UTF8.self)
        guard digits.count == 4, text.allSatisfy(\.isHexDigit), let unit = UInt16(text, radix: 16) else {
            throw failure("four hexadecimal digits expected")
        }
        position += 4
        return unit
    }
}
