/// The first line of a YUV4MPEG2 stream, yuv4mpeg(5) of the mjpegtools, with the tags that FFmpeg adds.
public struct StreamHeader: Sendable {
    /// The line as it came, without its newline.
    public private(set) var line: [UInt8]
    public private(set) var format: FrameFormat

    public static let magic = "YUV4MPEG2"
    /// Longer lines are damage.
    public static let longestLine = 4096

    public init(parsing line: [UInt8]) throws(VideoError) {
        self.line = line
        let words = line.split(separator: UInt8(ascii: " ")).map { String(decoding: $0, as: UTF8.self) }
        guard words.first == Self.magic else { throw VideoError("no YUV4MPEG2 stream") }
        let tags = words.dropFirst()
        func value(_ name: String) -> String? {
            tags.last { $0.hasPrefix(name) }.map { String($0.dropFirst(name.count)) }
        }

        let width = try Self.side(value("W"), "W"), height = try Self.side(value("H"), "H")
        format = try Self.format(value("C") ?? "420jpeg", width: width, height: height)
        try Self.checkProgressive(value("I") ?? "?")
        switch value("XCOLORRANGE=") {
        case nil: format.isFullRange = format.chroma == nil
        case "FULL": format.isFullRange = true
        case "LIMITED": format.isFullRange = false
        case let range?: throw VideoError("XCOLORRANGE=\(range): only FULL and LIMITED are known")
        }
    }

    private static let longestSide = 65535 // pixels

    private static func side(_ text: String?, _ tag: String) throws(VideoError) -> Int {
        guard let text else { throw VideoError("the stream header has no \(tag) tag") }
        guard let side = Int(text), (1...longestSide).contains(side) else {
            throw VideoError("\(tag)\(text) in the stream header: each side may be 1 to \(longestSide)")
        }
        return side
    }

    private static func checkProgressive(_ interlacing: String) throws(VideoError) {
        if ["p", "?"].contains(interlacing) { return }
        let advice = "deinterlace first, with ffmpeg -vf bwdif for instance"
        throw VideoError("I\(interlacing): interlaced streams cannot be restored; \(advice)")
    }

    private static func format(_ space: String, width: Int, height: Int) throws(VideoError) -> FrameFormat {
        var format = FrameFormat(width: width, height: height)
        if space == "mono" { return format }
        if let chroma = samplings[space] {
            format.chroma = chroma
            format.hasAlpha = space == "444alpha"
            return format
        }
        for (family, chroma) in deepSamplings where space.hasPrefix(family) {
            guard let depth = Int(space.dropFirst(family.count)), [9, 10, 12, 14, 16].contains(depth) else { continue }
            format.chroma = chroma
            format.depth = depth
            return format
        }
        throw VideoError("C\(space): this colour space cannot be restored")
    }

    /// Where a tag does not say where chroma lies, it is where MPEG-2 and H.264 put it; plain 420 is 420jpeg, as in
    /// FFmpeg.
    private static let samplings: [String: Chroma] = [
        "420jpeg": Chroma(horizontal: .centred, vertical: .centred),
        "420": Chroma(horizontal: .centred, vertical: .centred),
        "420mpeg2": Chroma(horizontal: .cosited, vertical: .centred),
        "420paldv": Chroma(horizontal: .cosited, vertical: .cosited),
        "411": Chroma(horizontal: ChromaAxis(factor: 4, offset: 0), vertical: .full),
        "422": Chroma(horizontal: .cosited, vertical: .full),
        "444": Chroma(horizontal: .full, vertical: .full),
        "444alpha": Chroma(horizontal: .full, vertical: .full),
    ]

    private static let deepSamplings: [(String, Chroma?)] = [
        ("420p", samplings["420mpeg2"]), ("422p", samplings["422"]), ("444p", samplings["444"]), ("mono", nil),
    ]

    /// The header of the stream whose frames are as wide as two of this one's; nil where chroma does not fit, and where
    /// they would be too wide to be read.
    public var doubled: StreamHeader? {
        guard 2 * format.width <= Self.longestSide else { return nil }
        if let chroma = format.chroma, format.width % chroma.horizontal.factor != 0 { return nil }
        var header = self
        header.format.width *= 2
        let width = UInt8(ascii: "W")
        let words = line.split(separator: UInt8(ascii: " ")).map { word in
            word.first == width ? [width] + Array(String(header.format.width).utf8) : Array(word)
        }
        header.line = Array(words.joined(separator: [UInt8(ascii: " ")]))
        return header
    }
}

extension FrameFormat: CustomStringConvertible {
    /// One line of facts.
    public var description: String {
        let kind = chroma.map { chroma in
            let samples = hasAlpha ? "YUV and alpha" : "YUV"
            let share = "1/\(chroma.horizontal.factor) by 1/\(chroma.vertical.factor)"
            return "\(samples), chroma \(share), \(ColourSpace.isHighDefinition(self) ? "BT.709" : "BT.601")"
        }
        return "\(width)x\(height), \(kind ?? "grey"), \(depth) bits, \(isFullRange ? "full" : "limited") range"
    }
}
