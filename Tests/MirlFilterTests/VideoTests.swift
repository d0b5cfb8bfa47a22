import Foundation
import Testing

/// YUV4MPEG2 streams come out frame by frame, changed by nothing but the restoration.
struct VideoTests {
    let place = try! Workplace()

    @Test func `as many threads work as are asked for`() throws {
        func running(_ threads: Int) throws -> Int {
            let outcome = try place.shell(
                """
                rm -f in; mkfifo in; "$FILTER" --y4m --threads \(threads) < in > out & exec 3> in
                printf 'YUV4MPEG2 W4 H2 F25:1 C420jpeg\\nFRAME\\nabcdefghabcd' >&3
                until grep -aq FRAME out; do sleep 0.02; done
                ls /proc/$!/task | wc -l
                exec 3>&-; wait $!
                """)
            #expect(outcome.status == 0, "\(outcome.errors)")
            return try #require(Int(String(decoding: outcome.output, as: UTF8.self).filter(\.isNumber)))
        }
        #expect(try running(7) == running(2) + 5)
    }

    /// A stream whose samples all differ from their neighbours, with parameters that mean nothing here.
    func stream(_ space: String, frames: Int = 2, size: Int, highByte: UInt8 = 255) -> Data {
        var stream = Data("YUV4MPEG2 W7 H5 F30000:1001 Ip A1:1 C\(space) XYSCSS=ANY\n".utf8)
        for frame in 0..<frames {
            stream += Data(frame == 0 ? "FRAME\n".utf8 : "FRAME Xsome thing\n".utf8)
            for i in 0..<size { stream.append(UInt8(i * 7919 % 251 + frame) & (i % 2 == 1 ? highByte : 255)) }
        }
        return stream
    }

    @Test(arguments: [
        ("420jpeg", 35 + 24, 255), ("420mpeg2", 59, 255), ("420paldv XCOLORRANGE=FULL", 59, 255), ("420", 59, 255),
        ("411", 55, 255), ("422 XCOLORRANGE=LIMITED", 75, 255), ("444", 105, 255), ("444alpha", 140, 255),
        ("mono", 35, 255), ("420p10", 118, 3), ("422p12", 150, 15), ("444p16", 210, 255), ("mono12", 70, 15),
    ])
    func `strength 0 leaves every bit of a stream`(space: String, size: Int, highByte: UInt8) throws {
        let stream = stream(space, size: size, highByte: highByte)
        let outcome = try place.filter("--y4m", "--strength", "0", input: stream)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.output == stream)
    }

    @Test func `grey frames are restored as grey images are`() throws {
        let image = picture(width: 40, height: 24, bands: 1)
        let restored = try place.filter("--format", "ppm", "--task", "denoise", input: image).output.suffix(40 * 24)
        let header = Data("YUV4MPEG2 W40 H24 Cmono\n".utf8), mark = Data("FRAME\n".utf8)
        let frame = mark + image.suffix(40 * 24)
        let outcome = try place.filter("--y4m", "--task", "denoise", input: header + frame + frame)
        // Both round the same value, from sides that may differ in the last bit of a float.
        let samples = outcome.output.dropFirst(header.count + mark.count)
        #expect(largestDifference(samples.prefix(40 * 24), restored) <= 1)
        #expect(samples.suffix(40 * 24) == samples.prefix(40 * 24))
        #expect(largestDifference(restored, image.suffix(40 * 24)) > 1)
    }

    /// JFIF's formulas, in both directions; RGB goes to the filter in 16 bits.
    @Test func `colour frames are restored as the images that they show`() throws {
        let (width, height) = (40, 24), count = width * height
        let luma = (0..<count).map { 100 + $0 * 7919 % 41 }
        let cb = (0..<count).map { 118 + $0 % 21 }, cr = (0..<count).map { 120 + $0 / width }
        var image = Data("P6 \(width) \(height) 65535\n".utf8)
        for i in 0..<count {
            let (y, u, v) = (Double(luma[i]), Double(cb[i] - 128), Double(cr[i] - 128))
            for sample in [y + 1.402 * v, y - (0.114 * 1.772 * u + 0.299 * 1.402 * v) / 0.587, y + 1.772 * u] {
                withUnsafeBytes(of: UInt16(sample * 257 + 0.5).bigEndian) { image += $0 }
            }
        }
        let restored = try place.filter("--format", "ppm", input: image).output.suffix(count * 6)
        let samples = stride(from: restored.startIndex, to: restored.endIndex, by: 2).map {
            Double(Int(restored[$0]) << 8 | Int(restored[$0 + 1])) / 257
        }
        var expected = [Data](repeating: Data(), count: 3)
        for i in 0..<count {
            let (r, g, b) = (samples[3 * i], samples[3 * i + 1], samples[3 * i + 2])
            let y = 0.299 * r + 0.587 * g + 0.114 * b
            expected[0].append(UInt8(y.rounded()))
            expected[1].append(UInt8((128 + (b - y) / 1.772).rounded()))
            expected[2].append(UInt8((128 + (r - y) / 1.402).rounded()))
        }
        let header = Data("YUV4MPEG2 W\(width) H\(height) C444 XCOLORRANGE=FULL\nFRAME\n".utf8)
        let frame = Data((luma + cb + cr).map { UInt8($0) })
        let outcome = try place.filter("--y4m", input: header + frame)
        #expect(outcome.status == 0, "\(outcome.errors)")
        // One step: 16 bits of RGB do not hold the frame's colours exactly.
        #expect(largestDifference(outcome.output.dropFirst(header.count), expected[0] + expected[1] + expected[2]) <= 1)
        #expect(largestDifference(outcome.output.dropFirst(header.count), frame) > 2)
    }

    @Test func `a frame that is cut short is an error after the frames before it`() throws {
        let whole = stream("420jpeg", frames: 2, size: 59)
        for cut in [1, 59, 70] {
            let outcome = try place.filter("--y4m", "--strength", "0", input: whole.dropLast(cut))
            #expect(outcome.status == 2)
            #expect(outcome.errors == "mirl-filter: stdin: frame 2: cut short\n")
            #expect(outcome.output == stream("420jpeg", frames: 1, size: 59))
        }
        #expect(try place.filter("--y4m", "-o", "out.y4m", input: whole.dropLast()).status == 2)
        #expect(try place.files == [])
    }

    @Test func `a stream without frames is one`() throws {
        let header = Data("YUV4MPEG2 W7 H5\n".utf8)
        #expect(try place.filter("--y4m", input: header).output == header)
    }

    @Test(arguments: [
        ("", "empty, no stream"), ("P6 1 1 255\n", "no YUV4MPEG2 stream"), ("YUV4MPEG2 W1 H1", "no YUV4MPEG2 stream"),
        ("YUV4MPEG2 W7 H5 It\n", "It: interlaced"), ("YUV4MPEG2 W7 H5 C440\n", "C440: this colour space"),
        ("YUV4MPEG2 W7 H5 XCOLORRANGE=TV\n", "XCOLORRANGE=TV"), ("YUV4MPEG2 W7\n", "no H tag"),
        ("YUV4MPEG2 W60000 H60000\n", "60000x60000 pixels are more than the limit"),
        ("YUV4MPEG2 W1 H1 Cmono\nframe\nx", "frame 1: does not begin with FRAME"),
        ("YUV4MPEG2 W1 H1 Cmono\nFRAMED\nx", "frame 1: does not begin with FRAME"),
    ])
    func `a stream that cannot be restored is an error`(input: String, reason: String) throws {
        let outcome = try place.filter("--y4m", input: Data(input.utf8))
        #expect(outcome.status == 2)
        #expect(outcome.errors.hasPrefix("mirl-filter: stdin: "), "\(outcome.errors)")
        #expect(outcome.errors.contains(reason), "\(outcome.errors)")
        #expect(outcome.output.isEmpty)
    }

    @Test func `a stream must be announced`() throws {
        let outcome = try place.filter(input: stream("mono", size: 35))
        #expect(outcome.status == 2)
        #expect(outcome.errors == "mirl-filter: stdin: a video stream, which needs --y4m\n")
    }

    @Test func `before and after lie side by side`() throws {
        let input = Data("YUV4MPEG2 W4 H2 F1:1 C420jpeg\nFRAME\n".utf8) + Data(10...21)
        let outcome = try place.filter("--y4m", "--compare", "--strength", "0", input: input)
        let rows: [ClosedRange<UInt8>] = [10...13, 10...13, 14...17, 14...17, 18...19, 18...19, 20...21, 20...21]
        #expect(outcome.output == Data("YUV4MPEG2 W8 H2 F1:1 C420jpeg\nFRAME\n".utf8) + Data(rows.joined()))
        let odd = try place.filter("--y4m", "--compare", input: stream("420jpeg", size: 59))
        #expect(odd.status == 2)
        #expect(odd.errors.contains("half chroma samples, not 7"))
    }

    @Test func `files are restored into a folder under their names`() throws {
        for name in ["a.y4m", "b.y4m"] { try place.write(stream("420mpeg2", size: 59), to: name) }
        #expect(try place.filter("--y4m", "--strength", "0", "a.y4m", "b.y4m", "--outdir", "out").status == 0)
        for name in ["a.y4m", "b.y4m"] { #expect(try place.read("out/\(name)") == place.read(name)) }
    }

    @Test func `progress and -v tell frames`() throws {
        try place.write(stream("420jpeg", frames: 3, size: 59), to: "in.y4m")
        let bar = try place.shell("script -qec '\"$FILTER\" --y4m in.y4m > out.y4m' /dev/null")
        #expect(String(decoding: bar.output, as: UTF8.self).contains("frame 3 ["))
        let told = try place.filter("--y4m", "-v", "in.y4m").errors
        #expect(told.contains("in.y4m: y4m, 7x5, YUV, chroma 1/2 by 1/2, BT.601, 8 bits, limited range"))
        #expect(told.contains("restored 3 frames in"))
    }
}

/// 256 where one is longer than the other.
private func largestDifference(_ one: Data, _ other: Data) -> Int {
    one.count == other.count ? zip(one, other).map { abs(Int($0) - Int($1)) }.max() ?? 0 : 256
}
