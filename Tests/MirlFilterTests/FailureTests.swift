import Foundation
import Testing

/// Whatever goes wrong, there is one clear line, the right status, and nothing on standard output.
struct FailureTests {
    let place = try! Workplace()

    func expectFailure(
        _ outcome: Outcome, _ status: Int32, _ message: String = "mirl-filter: ",
        at location: SourceLocation = #_sourceLocation
    ) {
        #expect(outcome.status == status, sourceLocation: location)
        #expect(outcome.output.isEmpty, sourceLocation: location)
        #expect(outcome.errors.hasPrefix("mirl-filter: "), "\(outcome.errors)", sourceLocation: location)
        #expect(outcome.errors.contains(message), "\(outcome.errors)", sourceLocation: location)
        let lines = outcome.errors.split(separator: "\n", omittingEmptySubsequences: false)
        let rest = status == 64 ? ["Try 'mirl-filter --help'.", ""] : [""]
        #expect(lines.dropFirst().elementsEqual(rest, by: ==), "\(outcome.errors)", sourceLocation: location)
    }

    @Test func `input that is no image`() throws {
        expectFailure(try place.filter(), 2, "stdin: empty")
        expectFailure(try place.filter(input: Data("It rains.\n".utf8)), 2, "stdin: not an image")
        expectFailure(try place.filter("missing.jpg"), 2, "missing.jpg: No such file")
        expectFailure(try place.filter("."), 2, ".: Is a directory")
        try place.write(picture(), to: "in.ppm")
        expectFailure(try place.filter("in.ppm", "-o", "in.ppm/"), 1, "in.ppm: Not a directory")
        let drawing = "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>"
        expectFailure(try place.filter(input: Data(drawing.utf8)), 2, "not an image")
    }

    /// Decoders that are not fit for untrusted files get none to see, whatever lies where others have their signs.
    @Test(arguments: [
        "%PDF-1.4WEBP\n%": "webp", "%PDF-1.4\n": "not an image", "<svgftyp/>\n    ": "damaged image: source",
        "SIMPLE  WEBP   ": "webp",
    ])
    func `what only seems to be of a format that is read`(file: String, complaint: String) throws {
        expectFailure(try place.filter(input: Data(file.utf8)), 2, complaint)
    }

    @Test func `a message is one line whatever the name`() throws {
        let outcome = try place.filter("no\nsuch.png")
        #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
    }

    @Test func `names do not steer a terminal`() throws {
        try place.write(picture(), to: "\u{1B}[2J\u{9B}.ppm")
        let outcomes = [try place.filter("\u{1B}[2J\u{9B}.png"), try place.filter("-v", "\u{1B}[2J\u{9B}.ppm")]
        #expect(outcomes.map(\.status) == [2, 0])
        #expect(outcomes.allSatisfy { $0.errors.contains("?[2J?.p") && !$0.errors.contains("\u{1B}") })
    }

    /// Of both, the beginning is enough.
    @Test(arguments: ["/dev/zero", "noise"]) func `what does not end is refused`(file: String) throws {
        try place.write(picture(), to: "in.ppm")
        try place.vips("copy", "in.ppm", "in.png")
        let unknown = try place.shell("seq 20000 > noise; timeout 20 \"$FILTER\" < \(file)")
        expectFailure(unknown, 2, "stdin: not an image of a format that is read")
        let endless = "(cat in.png; cat /dev/zero) 2> /dev/null | (ulimit -v 4000000; timeout 20 \"$FILTER\""
        expectFailure(
            try place.shell("\(endless) --limit-pixels 1000)"), 2, "stdin: more than 67126864 bytes, more than any")
        expectFailure(try place.shell("\(endless) --memory 40M)"), 2, "the limit of --memory")
    }

    /// The memory is enough for the program but not for libvips' threads.
    @Test func `what the machine lacks is not the image's fault`() throws {
        try place.write(picture(), to: "in.ppm")
        try place.vips("copy", "in.ppm", "in.jpg")
        let statuses = try place.shell(
            """
            for size in 90000 110000 130000 150000 170000 190000; do
                (ulimit -v $size; "$FILTER" in.jpg > out 2> said); echo $?
            done
            """)
        let seen = Set(String(decoding: statuses.output, as: UTF8.self).split(separator: "\n"))
        #expect(seen.contains("1") && seen.isSubset(of: ["0", "1", "127"]), "\(seen)")
    }

    @Test func `grey with more than alpha`() throws {
        try place.write(picture(), to: "in.ppm")
        try place.vips("copy", "in.ppm", "grey.tif", "--interpretation", "b-w")
        expectFailure(try place.filter("grey.tif"), 2, "grey.tif: only grey or colour images of 8 or 16 bits")
    }

    @Test func `memory that does not suffice`() throws {
        let image = picture(width: 400, height: 300)
        expectFailure(try place.filter("--memory", "1M", input: image), 1, "400x300 pixels take at least")
        expectFailure(try place.filter("--memory", "1M", input: image), 1, "M, more than --memory 1M")
        expectFailure(try place.filter("--memory", "12X", input: image), 64, "--memory")
        expectFailure(try place.filter("--memory", "1.5G", input: image), 64, "A whole number of bytes")
        let tiled = try place.filter("--memory", "51M", "--format", "ppm", input: image)
        #expect(tiled.status == 0)
        let whole = try place.filter("--memory", "1G", "--format", "ppm", input: image)
        #expect(tiled.output.count == whole.output.count && tiled.output != whole.output)
    }

    @Test func `a file that is longer than its image counts`() throws {
        try place.write(picture(), to: "in.ppm")
        let file = try place.filter("in.ppm").output + Data(count: 38 << 20)
        expectFailure(try place.filter("--memory", "40M", input: file), 1, "more than --memory 40M")
        #expect(try place.filter("--memory", "80M", input: file).status == 0)
    }

    /// Runs the filter, with the most memory that it held, in kB.
    private func measured(
        _ arguments: String, after first: String = ""
    ) throws -> (outcome: Outcome, kilobytes: Int) {
        let outcome = try place.shell(
            """
            \(first)
            exec python3 -c '
            import os, sys
            if os.fork() == 0: os.execv(sys.argv[1], sys.argv[1:])
            _, status, usage = os.wait4(-1, 0)
            open("peak", "w").write(str(usage.ru_maxrss))
            sys.exit(os.waitstatus_to_exitcode(status))' "$FILTER" \(arguments)
            """)
        return (outcome, try #require(Int(String(decoding: try place.read("peak"), as: UTF8.self))))
    }

    /// What --memory promises of the process, for files that need no libvips.
    @Test(arguments: [64, 96])
    func `memory stays below the limit`(megabytes: Int) throws {
        try place.write(picture(width: 900, height: 700), to: "large.ppm")
        let (outcome, kilobytes) = try measured("--memory \(megabytes)M large.ppm -o out.ppm")
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(kilobytes <= megabytes << 10)
    }

    /// libpng keeps all that it inflates, a thousand times as much as the file has.
    @Test(arguments: ["zTXt", "iTXt"])
    func `texts in a PNG take no memory`(type: String) throws {
        try place.write(picture(), to: "in.ppm")
        try place.vips("copy", "in.ppm", "in.png")
        let (outcome, kilobytes) = try measured(
            "--memory 48M large.png -o out.png",
            after: """
                python3 -c '
                import struct, sys, zlib
                def chunk(name, data): return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
                file, text = open("in.png", "rb").read(), zlib.compress(bytes(7900000), 9)
                name = b"\(type)"
                head = b"Comment\\0\\0" if name == b"zTXt" else b"Comment\\0\\1\\0\\0\\0"
                open("large.png", "wb").write(file[:33] + 30 * chunk(name, head + text) + file[33:])'
                """)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(kilobytes <= 48 << 10)
    }

    @Test(arguments: ["ppm", "png"])
    func `what is too large for the memory is not even read`(suffix: String) throws {
        try place.write(picture(width: 19, height: 13), to: "small.ppm")
        try place.vips("zoom", "small.ppm", "large.ppm", "300", "300")
        if suffix == "png" { try place.vips("copy", "large.ppm", "large.png") }
        let (outcome, kilobytes) = try measured("--memory 40M large.\(suffix) -o out.png")
        expectFailure(outcome, 1, "5700x3900 pixels take at least")
        #expect(kilobytes <= 40 << 10)
    }

    @Test(arguments: [
        "jpg", "jpg[interlace]", "png", "png[interlace]", "webp", "tif", "tif[compression=jpeg]", "gif", "ppm",
        "avif", "heic",
    ])
    func `half a file`(suffix: String) throws {
        let name = "in." + suffix.prefix { $0 != "[" }
        try place.write(picture(), to: "source.ppm")
        try place.vips("copy", "source.ppm", "in.\(suffix)")
        let file = try place.read(name)
        expectFailure(try place.filter(input: file.prefix(file.count / 2)), 2, "stdin: ")
    }

    /// libvips shows what there is of the later frames.
    @Test func `a GIF without its end`() throws {
        try place.write(picture(), to: "in.ppm")
        try place.vips("arrayjoin", "in.ppm in.ppm", "pages.gif[page-height=13]", "--across", "1")
        let file = try place.read("pages.gif")
        #expect(try place.filter(input: file).status == 0)
        for missing in [1, 9, file.count / 3] {
            expectFailure(try place.filter(input: file.dropLast(missing)), 2, "stdin: damaged image")
            let unwritten = file.dropLast(missing) + Data(repeating: 0, count: missing)
            expectFailure(try place.filter(input: unwritten), 2, "stdin: damaged image")
        }
    }

    /// A TIFF file of one pixel, whose samples are zeros.
    private func tiff(_ tags: [UInt16: [UInt16]], samples: Int, bits: UInt16) -> Data {
        let all: [UInt16: [UInt16]] = [
            256: [1], 257: [1], 258: Array(repeating: bits, count: samples), 259: [1], 277: [UInt16(samples)], 278: [1],
        ]
        func bytes(_ number: UInt16) -> [UInt8] { [UInt8(number & 255), UInt8(number >> 8)] }
        let entries = all.merging(tags) { $1 }.merging([273: [8], 279: [UInt16(samples) * bits / 8]]) { $1 }
        var end = UInt16(8 + 64), directory = bytes(UInt16(entries.count)), more: [UInt8] = []
        for (tag, values) in entries.sorted(by: { $0.key < $1.key }) {
            let isLong = values.count > 2, first = values[0], second = values.count > 1 ? values[1] : 0
            directory += bytes(tag) + bytes(3) + bytes(UInt16(values.count)) + [0, 0]
            directory += isLong ? bytes(end) + [0, 0] : bytes(first) + bytes(second)
            if isLong { more += values.flatMap(bytes); end += 2 * UInt16(values.count) }
        }
        return Data(Array("II*\0".utf8) + bytes(end) + [0, 0] + Array(repeating: 0, count: 64) + more + directory)
            + Data(repeating: 0, count: 4)
    }

    @Test func `what libvips would misread of a TIFF`() throws {
        #expect(try place.filter(input: tiff([262: [1]], samples: 1, bits: 8)).status == 0)
        let preview = tiff([262: [1], 254: [1]], samples: 1, bits: 8)
        expectFailure(try place.filter(input: preview), 2, "the first page is but a preview")
        let floats: [UInt16: [UInt16]] = [262: [2], 338: [1], 339: [3, 3, 3, 3]]
        expectFailure(try place.filter(input: tiff(floats, samples: 4, bits: 32)), 2, "alpha beside Lab, or multiplied")
        let straight = floats.merging([338: [2]]) { $1 }
        #expect(try place.filter(input: tiff(straight, samples: 4, bits: 32)).status == 0)
        for bits in [8, 16] as [UInt16] {
            let lab: [UInt16: [UInt16]] = [262: [8], 338: [2]]
            expectFailure(try place.filter(input: tiff(lab, samples: 4, bits: bits)), 2, "alpha beside Lab")
        }
    }

    @Test func `a small file that claims a huge picture`() throws {
        let file = emptyPNG(width: 60000, height: 60000)
        #expect(file.count == 57)
        expectFailure(try place.filter(input: file), 2, "60000x60000 pixels are more than the limit of 100000000")
        let empty = emptyPNG(width: 2000, height: 2000)
        expectFailure(try place.filter("--limit-pixels", "9999999999", input: empty), 2, "damaged PNG")
        expectFailure(try place.filter(input: Data("P6 99999 99999 255\n".utf8)), 2, "99999x99999")
        expectFailure(try place.filter(input: Data("P5 99999999999999999999 1 255\n".utf8)), 2, "damaged PNM")
    }

    /// What stands where width and height would be is neither then.
    @Test func `a PNG that does not begin with its header`() throws {
        let file = Data([137, 80, 78, 71, 13, 10, 26, 10]) + chunk("tEXt", Data(repeating: 255, count: 40))
        expectFailure(try place.filter(input: file), 2, "damaged PNG")
        expectFailure(try place.filter("--memory", "40M", input: file), 2, "damaged PNG")
    }

    @Test func `the limit holds in every decoder`() throws {
        try place.write(picture(), to: "in.ppm")
        for name in ["in.png", "in.jpg", "in.webp", "in.tif"] { try place.vips("copy", "in.ppm", name) }
        for name in ["in.ppm", "in.png", "in.jpg", "in.webp", "in.tif"] {
            let refused = try place.filter("--limit-pixels", "246", name)
            expectFailure(refused, 2, "19x13 pixels are more than the limit of 246")
            #expect(try place.filter("--limit-pixels", "247", name).status == 0)
        }
    }

    @Test func `samples that cannot be restored`() throws {
        try place.write(picture(), to: "in.ppm")
        try place.vips("cast", "in.ppm", "in.tif", "uint")
        expectFailure(try place.filter("in.tif"), 2, "only grey or colour images of 8 or 16 bits")
    }

    @Test func `PNM with samples that are missing or too large`() throws {
        expectFailure(try place.filter(input: Data("P2 2 1 9 1".utf8)), 2, "sample 2 of 2 is missing")
        expectFailure(try place.filter(input: Data("P2 2 1 9 1 10".utf8)), 2, "sample 2 is 10, above the maximum 9")
        expectFailure(try place.filter(input: Data("P1 2 2 1 0 1".utf8)), 2, "row 2 of 2 is missing")
        expectFailure(try place.filter(input: Data("P5 2 1 70000 ".utf8)), 2, "header")
        expectFailure(try place.filter(input: Data("P5 0 1 255 ".utf8)), 2, "0x1")
    }

    @Test func `weights that are missing or foreign`() throws {
        try place.write(picture(), to: "in.ppm")
        expectFailure(try place.filter("in.ppm", "--weights", "missing.mirl"), 3, "filter: missing.mirl: ")
        expectFailure(try place.filter("in.ppm", "--weights", "in.ppm"), 3, "filter: in.ppm: magic")
    }

    @Test(arguments: [
        ["--task", "desnow"], ["--strength", "1.1"], ["--strength", "nan"], ["--threads", "-1"],
        ["--limit-pixels", "0"],
        ["--format", "bmp"], ["--frobnicate"], ["one.png", "two.png"], ["-o", "out.xyz"], ["-o"],
        ["--quality", "0", "--format", "jpeg"], ["--quality", "101", "--format", "jpeg"], ["--timeout", "0"],
        ["--timeout", "nan"], ["--outdir", "out"], ["--outdir", "out", "-"],
        ["one.png", "--outdir", "out", "-o", "out.png"],
        ["--y4m", "-o", "out.png"], ["--y4m", "--format", "png"], ["--y4m", "--strip"], ["--y4m", "--quality", "9"],
        ["--generate-completion-script", "nosuch"],
    ])
    func `a command line that means nothing`(arguments: [String]) throws {
        let outcome = try place.shell("\"$FILTER\" \(arguments.joined(separator: " ")) < /dev/null")
        expectFailure(outcome, 64)
    }

    /// As a shell gives a variable that is not set; the next argument is not its value.
    @Test(arguments: ["--output=", "--outdir=", "--strength=", "--quiet=", "--=", "-o"])
    func `an empty value is none`(option: String) throws {
        let value = option.hasSuffix("=") ? [] : [""]
        let outcome = try place.filter([option] + value + ["in.ppm"], input: picture())
        expectFailure(outcome, 64, option == "-o" ? "--output must not be empty" : "\(option) is followed by nothing")
        #expect(try place.files == [])
    }

    @Test(arguments: [["--strength", "-0.5"], ["--strength=-0.5"]])
    func `a negative number is a value`(words: [String]) throws {
        expectFailure(try place.filter(words, input: picture()), 64, "--strength must be from 0 to 1, not -0.5")
    }

    @Test func `an option with a value may stand behind flags`() throws {
        #expect(try place.filter("-qo", "a.png", input: picture()).status == 0)
        #expect(try place.filter("-qvob.png", input: picture()).status == 0)
        #expect(try place.files == ["a.png", "b.png"])
        expectFailure(try place.filter("-qo", input: picture()), 64, "Missing value for")
    }

    /// As the shell expands *.jpg, and as a misspelt option looks.
    @Test(arguments: [
        ("-beach.jpg", "no option is called -beach.jpg; for a file of that name write ./-beach.jpg"),
        ("--outdir out in.ppm -h.jpg", "no option is called -h.jpg"), ("--tasks derain in.ppm", "--tasks"),
        ("$(printf 'caf\\351.ppm')", "is not UTF-8"), ("in.ppm -o $(printf 'old\\351.png')", "argument 3, old"),
    ])
    func `a name that cannot be used is told of`(arguments: String, message: String) throws {
        try place.write(picture(), to: "in.ppm")
        expectFailure(try place.shell("\"$FILTER\" \(arguments)"), 64, message)
        #expect(try place.files == ["in.ppm"])
    }

    @Test func `a terminal is neither read nor written`() throws {
        try place.write(picture(), to: "in.ppm")
        for arguments in [
            "in.ppm -o /dev/tty", "in.ppm -o /dev/stdout", "/dev/tty -o out.png", "--outdir . /dev/tty",
        ] {
            let named = try place.shell("script -qec '\"$FILTER\" \(arguments)' /dev/null")
            #expect(named.status == 64 && String(decoding: named.output, as: UTF8.self).contains(": a terminal, "))
        }
        let written = try place.shell("script -qec '\"$FILTER\" in.ppm' /dev/null")
        #expect(written.status == 64)
        #expect(String(decoding: written.output, as: UTF8.self).contains("standard output is a terminal"))
        let read = try place.shell("script -qec '\"$FILTER\" > out' /dev/null")
        #expect(read.status == 64)
        #expect(String(decoding: read.output, as: UTF8.self).contains("standard input is a terminal"))
    }
}
