import Foundation
import Testing

/// --compare, --quality, --strip and --timeout.
struct OptionTests {
    let place = try! Workplace()

    init() throws { try place.write(picture(), to: "in.ppm") }

    @Test func `before and after are compared side by side`() throws {
        let outcome = try place.filter("in.ppm", "--compare", "--format", "ppm")
        let restored = try place.filter("in.ppm", "--format", "ppm").output.suffix(19 * 13 * 3)
        #expect(outcome.status == 0)
        #expect(outcome.output.prefix(13) == Data("P6\n38 13\n255\n".utf8))
        let before = [UInt8](picture().suffix(19 * 13 * 3)), after = [UInt8](restored)
        let rows = (0..<13).map { before[$0 * 57..<($0 + 1) * 57] + after[$0 * 57..<($0 + 1) * 57] }
        #expect(outcome.output.dropFirst(13) == Data(rows.joined()))
    }

    @Test func `pictures too wide to lie side by side are refused`() throws {
        let wide = picture(width: 32768, height: 1, bands: 1)
        let outcome = try place.filter("--compare", "--strength", "0", input: wide)
        #expect(outcome.status == 2)
        #expect(outcome.errors.contains("65536x1 pixels: each side may be 1 to 65535"))
        #expect(outcome.output.isEmpty)
    }

    @Test(arguments: ["jpeg", "webp"])
    func `quality is what the format makes of it`(format: String) throws {
        try place.write(picture(width: 70, height: 50), to: "large.ppm")
        func size(_ arguments: String...) throws -> Int {
            let outcome = try place.filter(["large.ppm", "--strength", "0", "--format", format] + arguments)
            #expect(outcome.status == 0)
            return outcome.output.count
        }
        #expect(try size("--quality", "10") < size("--quality", "60"))
        #expect(try size("--quality", "60") < size())
        #expect(try size("--quality", "95") == size())
    }

    @Test func `quality means nothing where nothing has it`() throws {
        for arguments in [["in.ppm"], ["in.ppm", "-o", "out.png"], ["in.ppm", "--outdir", "out"]] {
            let outcome = try place.filter(arguments + ["--quality", "80"])
            #expect(outcome.status == 64)
            #expect(outcome.errors.contains("only JPEG and WebP have a quality"))
        }
        try place.vips("copy", "in.ppm", "in.jpg")
        #expect(try place.filter("in.ppm", "in.jpg", "--outdir", "out", "--quality", "80").status == 0)
    }

    @Test(arguments: ["png", "jpeg", "webp"])
    func `--strip leaves out what need not be known, and keeps the colours`(format: String) throws {
        try place.vips("copy", "in.ppm", "plain.jpg[profile=srgb]")
        let full = adding(exif: exif(orientation: 6), xmp: xmp(orientation: 6), toJPEG: try place.read("plain.jpg"))
        try place.write(place.filter("--format", format, "--strip", "--strength", "0", input: full).output, to: "out")
        #expect(try place.field("xmp-data", of: "out") == nil)
        #expect(try place.field("exif-ifd0-Artist", of: "out") == nil)
        #expect(try place.read("out").range(of: Data("Ada".utf8)) == nil)
        #expect(try place.field("icc-profile-data", of: "out") == place.field("icc-profile-data", of: "plain.jpg"))
        #expect(try place.field("width", of: "out") == "13")
    }

    @Test func `an image that takes too long to come is given up`() throws {
        let outcome = try place.shell("mkfifo never; exec 3<> never; \"$FILTER\" --timeout 0.2 < never")
        #expect(outcome.status == 1)
        #expect(outcome.output.isEmpty)
        #expect(outcome.errors == "mirl-filter: stdin: not done within 0.2 s (--timeout)\n")
    }

    @Test func `the name of what takes too long does not steer a terminal`() throws {
        let script = #"f=$(printf 'f\033[31mX'); mkfifo "$f"; exec 3<> "$f"; "$FILTER" --timeout 0.2 "$f""#
        let outcome = try place.shell(script)
        #expect(outcome.errors == "mirl-filter: f?[31mX: not done within 0.2 s (--timeout)\n")
    }

    /// Of seconds of work on any machine.
    private func writeLargePicture() throws {
        let script = #"{ printf 'P6\n4000 3000\n255\n'; head -c 36000000 /dev/urandom; } > large.ppm"#
        try #require(try place.shell(script).status == 0)
    }

    @Test func `an image that takes too long to restore is given up, and the next is not`() throws {
        try writeLargePicture()
        let alone = try place.filter("large.ppm", "--timeout", "1.5")
        #expect(alone.status == 1)
        #expect(alone.output.isEmpty)
        #expect(alone.errors == "mirl-filter: large.ppm: not done within 1.5 s (--timeout)\n")
        let outcome = try place.filter("large.ppm", "in.ppm", "--outdir", "out", "--timeout", "1.5")
        #expect(outcome.status == 1)
        #expect(outcome.errors.hasSuffix("mirl-filter: 1 of 2 files failed\n"))
        #expect(try place.files(in: "out") == ["in.ppm"])
    }

    /// The median, as others may be at work on this machine. Where none are, it is 12 ms after a signal, and 19 ms
    /// after the end of the time, with the start of the process.
    @Test(arguments: [
        """
        env --default-signal=INT "$FILTER" large.ppm > out &
        sleep 0.$time; start=$(now); kill -INT $!; wait $!; [ $? = 130 ]
        """,
        "start=$(($(now) + time)); ! \"$FILTER\" --timeout 0.$time large.ppm > out 2> /dev/null",
    ])
    func `a tenth of a second after it was stopped the filter is gone`(stop: String) throws {
        try writeLargePicture()
        let outcome = try place.shell(
            """
            now() { echo $(($(date +%s%N) / 1000000)); }
            for time in 100 250 400 550 700; do \(stop) && ! [ -s out ] && echo $(($(now) - start)); done
            """)
        let late = String(decoding: outcome.output, as: UTF8.self).split(separator: "\n").compactMap { Int($0) }
            .sorted()
        try #require(late.count == 5, "\(outcome.errors)")
        #expect(late[2] < 100, "\(late)")
    }

    @Test func `a pipe that nobody opens is given up`() throws {
        let outcome = try place.shell("mkfifo never; timeout 20 \"$FILTER\" --timeout 0.2 never")
        #expect(outcome.status == 1)
        #expect(outcome.errors == "mirl-filter: never: not done within 0.2 s (--timeout)\n")
    }

    @Test(arguments: ["--timeout 0.2", ""])
    func `a pipe's reader sees its end whatever ends the filter`(option: String) throws {
        let outcome = try place.shell(
            """
            mkfifo never out; exec 3<> never; \(Workplace.readOut)
            "$FILTER" \(option) -o out < never 2> /dev/null & sleep 0.5; kill $! 2> /dev/null; \(Workplace.readerEnds)
            """)
        #expect(outcome.status == 0)
        #expect(outcome.output.isEmpty)
    }

    /// Opening the pipe waits for its reader, who comes late.
    @Test func `writing takes what time it needs`() throws {
        let outcome = try place.shell(
            """
            mkfifo out; printf 'YUV4MPEG2 W1 H1 Cmono\n' > empty.y4m
            "$FILTER" --y4m --timeout 0.2 empty.y4m -o out & sleep 0.5; timeout 20 cat out; wait $!
            """)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.output == Data("YUV4MPEG2 W1 H1 Cmono\n".utf8))
    }

    @Test func `enough time is enough`() throws {
        let outcome = try place.filter("in.ppm", "--timeout", "100")
        #expect(outcome.status == 0)
        #expect(try outcome.output == place.filter("in.ppm").output)
    }
}
