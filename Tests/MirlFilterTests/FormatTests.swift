import Foundation
import Testing

/// What comes out is the picture that went in, in every format: strength 0 restores nothing.
struct FormatTests {
    let place = try! Workplace()

    @Test(arguments: [
        "jpg", "jpg[interlace]", "png", "png[interlace]", "png[palette]", "webp", "tif",
        "tif[compression=lzw,tile]", "ppm", "gif", "avif", "heic",
    ])
    func `a picture in any format comes out as libvips decodes it`(suffix: String) throws {
        let name = "in." + suffix.prefix { $0 != "[" }
        try place.write(picture(), to: "source.ppm")
        try place.vips("copy", "source.ppm", "in.\(suffix)")
        let outcome = try place.filter("--strength", "0", input: place.read(name))
        #expect(outcome.status == 0)
        #expect(outcome.errors == "")
        try place.write(outcome.output, to: "out.png")
        #expect(try place.samples(of: "out.png") == place.samples(of: name))
    }

    /// Where decoders only warn of headers, nothing is lost; what is damaged besides is still refused.
    @Test(arguments: [
        "bytes between segments", "a later revision of JFIF", "no parameters of a scan", "an unknown transform",
    ])
    func `a JPEG with an odd header is whole`(oddity: String) throws {
        try place.write(picture(), to: "source.ppm")
        try place.vips("copy", "source.ppm", "plain.jpg")
        var file = try place.read("plain.jpg")
        switch oddity {
        case "bytes between segments":
            file.insert(contentsOf: [7, 0xFF, 0, 9], at: file.range(of: Data([0xFF, 0xDB]))!.lowerBound)
        case "no parameters of a scan":
            let scan = file.range(of: Data([0xFF, 0xDA]))!.upperBound, end = scan + Int(file[scan + 1])
            file.replaceSubrange(end - 3..<end, with: [0, 0, 0])
        case "an unknown transform":
            file.insert(contentsOf: [0xFF, 0xEE, 0, 14] + Data("Adobe\0\u{64}\0\0\0\0\u{7}".utf8), at: 2)
        default: file.insert(contentsOf: [0xFF, 0xE0, 0, 16] + Data("JFIF\0\u{2}\u{1}\0\0\u{1}\0\u{1}\0\0".utf8), at: 2)
        }
        try place.write(file, to: "odd.jpg")
        try place.write(place.filter("odd.jpg", "--strength", "0").output, to: "out.png")
        #expect(try place.samples(of: "out.png") == place.samples(of: "plain.jpg"))
        for count in [2, 20, file.count / 3] {
            let outcome = try place.filter(input: file.dropLast(count))
            #expect(outcome.status == 2 && outcome.output.isEmpty)
            #expect(outcome.errors.contains("stdin: damaged image"))
        }
    }

    @Test func `TIFF tags that mean nothing do no harm`() throws {
        try place.write(picture(), to: "source.ppm")
        try place.vips("copy", "source.ppm", "in.tif")
        var file = try place.read("in.tif")
        let unit = try #require(file.range(of: Data([0x28, 1, 3, 0, 1, 0, 0, 0]))).upperBound
        file[unit] = 0
        try place.write(place.filter("--strength", "0", input: file).output, to: "out.png")
        #expect(try place.samples(of: "out.png") == place.samples(of: "source.ppm"))
    }

    @Test func `what is wrong with a TIFF is told, not what does no harm`() throws {
        try place.write(picture(), to: "source.ppm")
        try place.vips("copy", "source.ppm", "in.tif[compression=deflate]")
        var file = try place.read("in.tif")
        file[try #require(file.range(of: Data([0x28, 1, 3, 0, 1, 0, 0, 0]))).upperBound] = 0
        let strips = try #require(file.range(of: Data([0x11, 1, 4, 0, 1, 0, 0, 0]))).upperBound
        file.replaceSubrange(strips..<strips + 4, with: [0, 0, 0, 1])
        let errors = try place.filter(input: file).errors
        #expect(errors.contains("stdin: damaged image") && !errors.contains("ResolutionUnit"), "\(errors)")
    }

    @Test func `white of 10 bits is white`() throws {
        try place.write(Data("P6 32 32 65535\n".utf8) + Data(repeating: 255, count: 6 * 32 * 32), to: "white.ppm")
        try place.vips("copy", "white.ppm", "white.heic[bitdepth=10]")
        try place.write(place.filter("white.heic", "--strength", "0").output, to: "out.png")
        #expect(try place.samples(of: "out.png") == Data(repeating: 255, count: 6 * 32 * 32))
    }

    @Test func `of an AVIF animation the first frame is taken`() throws {
        try place.write(picture(), to: "source.ppm")
        try place.vips("copy", "source.ppm", "in.avif")
        var file = try place.read("in.avif")
        file.replaceSubrange(8..<12, with: Data("avis".utf8))
        let outcome = try place.filter("--strength", "0", input: file)
        try place.write(outcome.output, to: "out.png")
        #expect(try place.samples(of: "out.png") == place.samples(of: "in.avif"))
    }

    @Test(arguments: ["jpg", "JPEG", "jpe", "jfif"])
    func `suffixes of JPEG`(suffix: String) throws {
        #expect(try place.filter("-o", "out.\(suffix)", input: picture()).status == 0)
        #expect(try place.field("vips-loader", of: "out.\(suffix)") == "jpegload")
    }

    @Test(arguments: ["png", "webp", "tiff", "jpeg", "ppm"])
    func `every output format is what it says`(format: String) throws {
        let outcome = try place.filter("--strength", "0", "--format", format, input: picture())
        #expect(outcome.status == 0)
        try place.write(outcome.output, to: "out")
        #expect(try place.field("vips-loader", of: "out") == "\(format)load")
        #expect(try place.facts(of: "out").contains("19x13 uchar, 3 bands"))
    }

    @Test(arguments: ["png", "tiff", "ppm"])
    func `lossless formats keep every sample of 8 and 16 bits, grey and colour`(format: String) throws {
        for bands in [1, 3] {
            for maximum in [255, 65535] {
                try place.write(picture(bands: bands, maximum: maximum), to: "in.pnm")
                let outcome = try place.filter("in.pnm", "--strength", "0", "--format", format)
                try place.write(outcome.output, to: "out.\(format)")
                #expect(try place.samples(of: "out.\(format)") == place.samples(of: "in.pnm"))
                let facts = try place.facts(of: "out.\(format)")
                #expect(facts.contains("19x13 \(maximum == 255 ? "uchar" : "ushort"), \(bands) band"))
            }
        }
    }

    @Test(arguments: ["jpeg", "webp"], [(UInt16(250), UInt8(1)), (511, 2), (65400, 254)])
    func `16 bits become 8 by rounding`(format: String, value: (wide: UInt16, rounded: UInt8)) throws {
        let samples = (0..<3 * 64).flatMap { _ in [UInt8(value.wide >> 8), UInt8(value.wide & 255)] }
        let input = Data("P6 8 8 65535\n".utf8) + samples
        let outcome = try place.filter("--strength", "0", "--format", format, "--quality", "100", input: input)
        try place.write(outcome.output, to: "out")
        #expect(try Set(place.samples(of: "out")) == [value.rounded])
    }

    @Test(arguments: ["grey", "colour"], ["png", "tiff"])
    func `alpha passes through a restoration`(kind: String, format: String) throws {
        try place.write(picture(bands: kind == "grey" ? 1 : 3), to: "opaque.pnm")
        try place.write(picture(bands: 1), to: "alpha.pgm")
        try place.vips("bandjoin", "opaque.pnm alpha.pgm", "in.\(format)")
        let outcome = try place.filter("in.\(format)")
        #expect(outcome.status == 0)
        try place.write(outcome.output, to: "out.png")
        let alphaBand = kind == "grey" ? "1" : "3"
        try place.vips("extract_band", "out.png", "band.v", alphaBand)
        #expect(try place.samples(of: "band.v") == place.samples(of: "alpha.pgm"))
        #expect(try place.field("bands", of: "out.png") == (kind == "grey" ? "2" : "4"))
    }

    @Test func `16 bits stay 16 and grey stays grey through a restoration`() throws {
        let outcome = try place.filter(input: picture(bands: 1, maximum: 65535))
        try place.write(outcome.output, to: "out.png")
        #expect(try place.facts(of: "out.png").contains("ushort, 1 band, grey16"))
    }

    @Test func `transparent pixels get a white ground where the format has no alpha`() throws {
        try place.write(picture(), to: "opaque.ppm")
        try place.vips("bandjoin_const", "opaque.ppm", "in.png", "0")
        let outcome = try place.filter("in.png", "--format", "ppm")
        #expect(outcome.output.suffix(19 * 13 * 3).allSatisfy { $0 == 255 })
    }

    @Test(arguments: [255, 65535])
    func `transparent pixels get a white ground in JPEG`(maximum: Int) throws {
        try place.write(picture(maximum: maximum), to: "opaque.ppm")
        try place.vips("bandjoin_const", "opaque.ppm", "in.png", "0")
        try place.write(place.filter("in.png", "--format", "jpeg").output, to: "out.jpg")
        #expect(try place.samples(of: "out.jpg").allSatisfy { $0 == 255 })
    }

    @Test func `inks become sRGB through their profile`() throws {
        try place.write(picture(), to: "in.ppm")
        try place.vips("icc_export", "in.ppm", "in.tif", "--output-profile", "cmyk")
        let outcome = try place.filter("-v", "in.tif")
        #expect(outcome.status == 0)
        #expect(outcome.errors.contains("converted from cmyk to sRGB"))
        try place.write(outcome.output, to: "out.png")
        #expect(try place.facts(of: "out.png").contains("uchar, 3 bands, srgb"))
    }

    /// Floats count alpha to 1 beside linear colours, and to 255 beside Lab.
    @Test(arguments: [("scrgb", 0.5), ("scrgb", 1), ("lab", 127.5), ("lab", 255)] as [(String, Double)])
    func `alpha of floats is kept`(space: String, alpha: Double) throws {
        try place.write(picture(), to: "in.ppm")
        try place.vips("colourspace", "in.ppm", "opaque.tif", space)
        try place.vips("bandjoin_const", "opaque.tif", "in.tif", "\(alpha)")
        try place.write(place.filter("--strength", "0", "in.tif").output, to: "out.png")
        #expect(try place.facts(of: "out.png").contains("ushort, 4 bands, rgb16"))
        try place.vips("extract_band", "out.png", "alpha.png", "3")
        let values = try place.samples(of: "alpha.png").withUnsafeBytes { Array($0.bindMemory(to: UInt16.self)) }
        let expected = UInt16((alpha * (space == "lab" ? 257 : 65535)).rounded())
        #expect(values.allSatisfy { $0 == expected })
    }

    @Test(arguments: ["lab", "labq", "xyz"])
    func `colours of other spaces come back to within what their coding loses`(space: String) throws {
        try place.write(Data("P6 8 8 255\n".utf8) + Data(repeating: 99, count: 3 * 64), to: "in.ppm")
        try place.vips("colourspace", "in.ppm", "coded.v", space)
        try place.vips("copy", "coded.v", "in.tif")
        try place.write(place.filter("--strength", "0", "in.tif").output, to: "out.png")
        let values = try place.samples(of: "out.png").withUnsafeBytes { Array($0.bindMemory(to: UInt16.self)) }
        #expect(values.count == 3 * 64)
        #expect(values.allSatisfy { abs(Int($0) - 99 * 257) < 3 * 257 }, "\(values.prefix(3))")
    }

    @Test(arguments: [
        ("P1\n# a comment\n3 2\n101\n0 1 0\n", [0, 255, 0, 255, 0, 255]), ("P2 3 1 4 0 1 4\n", [0, 64, 255]),
        ("P3 1 1 255 1 2 3", [1, 2, 3]), ("P4\n3 1\n\u{50}", [255, 0, 255]), ("P5\n1 1\n100\n2", [128]),
    ])
    func `PNM is read in all its kinds`(file: String, samples: [UInt8]) throws {
        let outcome = try place.filter("--strength", "0", "--format", "ppm", input: Data(file.utf8))
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(Array(outcome.output.suffix(samples.count)) == samples)
    }

    @Test func `the suffix of the output picks the format and --format overrules it`() throws {
        try place.write(picture(), to: "in.ppm")
        for (name, arguments, loader) in [
            ("a.jpg", [], "jpegload"), ("a.WebP", [], "webpload"), ("a", [], "pngload"),
            ("b.jpg", ["--format", "png"], "pngload"),
        ] {
            #expect(try place.shell("\"$FILTER\" in.ppm -o \(name) \(arguments.joined(separator: " "))").status == 0)
            #expect(try place.field("vips-loader", of: name) == loader)
        }
    }

    @Test func `the first page is taken and -v says so`() throws {
        try place.write(picture(), to: "in.ppm")
        try place.vips("arrayjoin", "in.ppm in.ppm", "pages.tif[page-height=13]", "--across", "1")
        let outcome = try place.filter("-v", "pages.tif")
        #expect(outcome.status == 0)
        #expect(outcome.errors.contains("19x13") && outcome.errors.contains("the first of 2 pages"))
        try place.vips("copy", "in.ppm", "in.png")
        let still = try place.read("in.png"), frames = chunk("acTL", Data([0, 0, 0, 3, 0, 0, 0, 0]))
        let animated = try place.filter("-v", input: still.prefix(33) + frames + still.dropFirst(33))
        #expect(animated.errors.contains("the first of 3 pages"))
        #expect(animated.output.range(of: Data("acTL".utf8)) == nil)
    }

    @Test func `restoring gives the same bytes for any number of threads`() throws {
        let one = try place.filter("--threads", "1", input: picture(width: 70, height: 45))
        let two = try place.filter("--threads", "2", input: picture(width: 70, height: 45))
        #expect(one.status == 0)
        #expect(one.output == two.output)
    }
}
