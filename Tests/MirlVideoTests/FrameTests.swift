import MirlVideo
import Testing

/// Frames become colours by the standards' formulas, and come back as they were but for what changed.
struct FrameTests {
    func converter(_ tags: String) throws -> FrameConverter {
        try #require(FrameConverter(StreamHeader(parsing: Array("YUV4MPEG2 \(tags)".utf8)).format))
    }

    /// A frame in which any two neighbours differ, in the range of the depth.
    func frame(_ format: FrameFormat) -> [UInt8] {
        (0..<format.frameSize).map { place in
            let isHighByte = format.depth > 8 && place % 2 == 1
            return UInt8((place * 7919 + place / 5) % (isHighByte ? 1 << (format.depth - 8) : 256))
        }
    }

    /// What comes back after `change` was done to the floats.
    func restored(_ frame: [UInt8], _ converter: FrameConverter, _ change: (Int, Float) -> Float = { $1 }) -> [UInt8] {
        converter.load(frame)
        let format = converter.format
        for i in 0..<format.width * format.height * format.bands { converter.after[i] = change(i, converter.before[i]) }
        var output = [UInt8](repeating: 0, count: frame.count)
        converter.store(frame, to: &output)
        return output
    }

    @Test(
        arguments: [
            "420jpeg", "420mpeg2", "420paldv", "411", "422", "444", "444alpha", "mono", "420p10", "422p12", "444p16",
            "mono9",
        ],
        ["W1 H1", "W7 H5", "W16 H9"])
    func `what is not changed comes back bit for bit`(space: String, size: String) throws {
        for range in ["FULL", "LIMITED"] {
            let converter = try converter("\(size) C\(space) XCOLORRANGE=\(range)")
            let frame = frame(converter.format)
            #expect(restored(frame, converter) == frame)
        }
    }

    /// Bars of 100% from the tables of BT.601 and BT.709, and JFIF's formula for the full range.
    @Test(arguments: [
        ("W1 H1 C444", [81, 90, 240], [1, 0, 0]), ("W1 H1 C444", [145, 54, 34], [0, 1, 0]),
        ("W1 H1 C444", [41, 240, 110], [0, 0, 1]), ("W1 H577 C444", [63, 102, 240], [1, 0, 0]),
        ("W1 H577 C444", [173, 42, 26], [0, 1, 0]), ("W1 H1 C444", [235, 128, 128], [1, 1, 1]),
        ("W1 H1 C444", [16, 128, 128], [0, 0, 0]), ("W1 H1 C444 XCOLORRANGE=FULL", [76, 85, 255], [1, 0, 0]),
        ("W1 H1 C444 XCOLORRANGE=FULL", [255, 128, 128], [1, 1, 1]),
    ])
    func `code values mean the standard's colours`(tags: String, codes: [UInt8], colour: [Float]) throws {
        let converter = try converter(tags)
        let frame = codes.flatMap { [UInt8](repeating: $0, count: converter.format.height) }
        converter.load(frame)
        // Codes are rounded by half a step, which the matrix widens to at most 1.4 steps of 1/219.
        for (i, value) in colour.enumerated() { #expect(abs(converter.before[i] - value) < 0.0065) }
    }

    @Test func `deep samples are read low byte first, and scaled`() throws {
        let converter = try converter("W1 H1 Cmono10")
        converter.load([0xFF, 0x03] as [UInt8])
        #expect(converter.before[0] == 1)
        let limited = try self.converter("W1 H1 Cmono10 XCOLORRANGE=LIMITED")
        limited.load([64, 0] as [UInt8])
        #expect(limited.before[0] == 0)
        #expect(restored([0x00, 0x02], limited) { $1 + 100 / 876 } == [0x64, 0x02])
    }

    /// A ramp of Cb that rises by 2 codes a pixel along both axes, sampled where the standard puts chroma, is
    /// interpolated to the ramp itself inside of the picture.
    @Test(arguments: [
        ("420jpeg", 2, 2, Float(0.5), Float(0.5)), ("420mpeg2", 2, 2, 0, 0.5), ("420paldv", 2, 2, 0, 0),
        ("422", 2, 1, 0, 0), ("411", 4, 1, 0, 0),
    ])
    func `chroma lies where the tag says`(space: String, across: Int, down: Int, x0: Float, y0: Float) throws {
        let converter = try converter("W16 H8 C\(space) XCOLORRANGE=FULL")
        func ramp(_ x: Float, _ y: Float) -> Float { 100 + 2 * x + 2 * y }
        var frame = [UInt8](repeating: 128, count: converter.format.frameSize)
        for y in 0..<8 / down {
            for x in 0..<16 / across {
                frame[128 + y * (16 / across) + x] = UInt8(ramp(Float(x * across) + x0, Float(y * down) + y0))
            }
        }
        converter.load(frame)
        for y in 2..<6 {
            for x in 4..<12 {
                let blue = converter.before[(y * 16 + x) * 3 + 2], cb = (ramp(Float(x), Float(y)) - 128) / 255
                #expect(abs(blue - (Float(128) / 255 + 1.772 * cb)) < 1e-5)
            }
        }
    }

    @Test(arguments: ["420jpeg", "420mpeg2", "420paldv", "411", "422", "444"])
    func `an even change of colour changes every sample by as much`(space: String) throws {
        let converter = try converter("W7 H5 C\(space) XCOLORRANGE=FULL")
        let frame = [UInt8](repeating: 100, count: converter.format.frameSize)
        // BT.601: of 0.1 more red, luma takes 0.299, Cr half of 0.1, Cb 0.299 / -1.772.
        let output = restored(frame, converter) { $1 + ($0 % 3 == 0 ? 0.1 : 0) }
        let chroma = (output.count - 35) / 2
        #expect(Set(output[..<35]) == [108])
        #expect(Set(output[35..<35 + chroma]) == [96])
        #expect(Set(output[(35 + chroma)...]) == [113])
    }

    /// What the frame could hold it holds: the colours of another frame, to the last code.
    @Test(
        arguments: ["420jpeg", "420mpeg2", "420paldv", "411", "422", "444", "420p10"],
        ["W1 H1", "W2 H3", "W7 H5", "W16 H9"])
    func `colours that another frame has become that frame's`(space: String, size: String) throws {
        let converter = try converter("\(size) C\(space) XCOLORRANGE=FULL")
        // Grey enough that no colour is out of gamut.
        func frame(_ factor: Int) -> [UInt8] {
            let wide = converter.format.depth > 8
            return (0..<converter.format.frameSize).map { place in
                let value = 100 + place * factor % 41
                return wide ? (place % 2 == 0 ? UInt8(value) : 1) : UInt8(value)
            }
        }
        let wanted = frame(17)
        converter.load(wanted)
        let colours = (0..<converter.format.width * converter.format.height * 3).map { converter.before[$0] }
        #expect(restored(frame(7), converter) { i, _ in colours[i] } == wanted)
    }

    @Test func `codes outside of the range stay unless they change, and changes end at the largest code`() throws {
        let converter = try converter("W4 H1 Cmono XCOLORRANGE=LIMITED")
        #expect(restored([0, 5, 250, 255], converter) == [0, 5, 250, 255])
        #expect(restored([0, 5, 250, 200], converter) { $0 < 2 ? $1 : $1 + 0.5 } == [0, 5, 255, 255])
    }

    @Test func `joined frames lie side by side in every plane`() throws {
        let format = try StreamHeader(parsing: Array("YUV4MPEG2 W2 H2 C420jpeg".utf8)).format
        var output = [UInt8](repeating: 0, count: 12)
        format.join([1, 2, 3, 4, 5, 6] as [UInt8], [11, 12, 13, 14, 15, 16] as [UInt8], into: &output)
        #expect(output == [1, 2, 11, 12, 3, 4, 13, 14, 5, 15, 6, 16])
    }
}
