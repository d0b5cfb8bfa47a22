import MirlVideo
import Testing

/// The first line of a stream says what its frames are, or is refused with the tag that is wrong.
struct HeaderTests {
    func header(_ line: String) throws -> StreamHeader { try StreamHeader(parsing: Array(line.utf8)) }

    @Test(arguments: [
        ("", 12 + 2 * 4, "1/2 by 1/2"), ("C420", 20, "1/2 by 1/2"), ("C420jpeg", 20, "1/2 by 1/2"),
        ("C420mpeg2 XYSCSS=420MPEG2", 20, "1/2 by 1/2"), ("C420paldv", 20, "1/2 by 1/2"),
        ("C411", 12 + 2 * 4, "1/4 by 1/1"), ("C422", 12 + 2 * 8, "1/2 by 1/1"), ("C444", 36, "1/1 by 1/1"),
        ("C444alpha", 48, "YUV and alpha"), ("Cmono", 12, "grey"), ("C420p10", 40, "10 bits"),
        ("C422p12", 56, "12 bits"),
        ("C444p16", 72, "16 bits"), ("Cmono9", 24, "9 bits"), ("Cmono14", 24, "14 bits"),
    ])
    func `a colour space gives the size of a frame`(space: String, size: Int, fact: String) throws {
        let format = try header("YUV4MPEG2 W3 H4 F25:1 Ip A1:1 \(space)").format
        #expect(format.frameSize == size)
        #expect(format.description.hasPrefix("3x4, ") && format.description.contains(fact))
    }

    @Test func `only what has no chroma is of full range by itself`() throws {
        for (tags, isFull) in [
            ("Cmono", true), ("Cmono XCOLORRANGE=LIMITED", false), ("C420jpeg", false), ("C444 XCOLORRANGE=FULL", true),
        ] {
            #expect(try header("YUV4MPEG2 W3 H4 \(tags)").format.isFullRange == isFull)
        }
    }

    @Test func `larger pictures are of BT.709`() throws {
        for (size, matrix) in [("W720 H576", "BT.601"), ("W1280 H534", "BT.709"), ("W1024 H577", "BT.709")] {
            #expect(try header("YUV4MPEG2 \(size)").format.description.contains(matrix))
        }
    }

    @Test(arguments: [
        ("P6", "no YUV4MPEG2 stream"), ("YUV4MPEG", "no YUV4MPEG2 stream"), ("YUV4MPEG2 W3", "no H tag"),
        ("YUV4MPEG2 W0 H3", "W0"), ("YUV4MPEG2 W3 H-3", "H-3"), ("YUV4MPEG2 W65536 H3", "1 to 65535"),
        ("YUV4MPEG2 W99999999999999999999 H3", "W99999999999999999999"), ("YUV4MPEG2 W3 H3 C440", "C440"),
        ("YUV4MPEG2 W3 H3 C420p11", "C420p11"), ("YUV4MPEG2 W3 H3 It", "It: interlaced"),
        ("YUV4MPEG2 W3 H3 Ib", "Ib"), ("YUV4MPEG2 W3 H3 Im", "Im"),
        ("YUV4MPEG2 W3 H3 XCOLORRANGE=TV", "XCOLORRANGE=TV"),
    ])
    func `a stream that cannot be restored is refused by its tag`(line: String, reason: String) {
        #expect { try header(line) } throws: { ($0 as? VideoError)?.message.contains(reason) == true }
    }

    @Test func `a doubled stream has twice the width and all other tags`() throws {
        let doubled = try header("YUV4MPEG2 W4 H3 F30000:1001 Ip C420jpeg XANY").doubled
        let line = doubled.map { String(decoding: $0.line, as: UTF8.self) }
        #expect(line == "YUV4MPEG2 W8 H3 F30000:1001 Ip C420jpeg XANY")
        #expect(doubled?.format.width == 8)
        #expect(try header("YUV4MPEG2 W3 H3 C420jpeg").doubled == nil)
        #expect(try header("YUV4MPEG2 W3 H3 C444").doubled != nil)
        #expect(try header("YUV4MPEG2 W32768 H1 C444").doubled == nil)
    }
}
