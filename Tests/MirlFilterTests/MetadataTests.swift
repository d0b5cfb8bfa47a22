import Foundation
import Testing

/// Metadata goes with the picture, and stays true.
struct MetadataTests {
    let place = try! Workplace()

    /// A JPEG with all kinds of metadata, turned as `orientation` says.
    func writeJPEG(orientation: UInt8) throws {
        try place.write(picture(), to: "source.ppm")
        try place.vips("copy", "source.ppm", "plain.jpg[strip]")
        try place.vips("copy", "source.ppm", "profiled.jpg[profile=srgb,strip=false]")
        let full = adding(
            exif: exif(orientation: orientation), xmp: xmp(orientation: Int(orientation)),
            toJPEG: try place.read("profiled.jpg"))
        try place.write(full, to: "in.jpg")
    }

    /// A PNG that has this EXIF.
    func png(exif: Data) throws -> Data {
        try place.write(picture(), to: "in.ppm")
        try place.vips("copy", "in.ppm", "in.png", "--xres", "10", "--yres", "5")
        let file = try place.read("in.png")
        return file.prefix(33) + chunk("eXIf", exif) + file.dropFirst(33)
    }

    @Test(arguments: ["exif", "APP1"])
    func `EXIF is found in a PNG's text, and applied`(name: String) throws {
        let profile = Data("Exif\0\0".utf8) + exif(orientation: 6)
        let digits = profile.map { String(format: "%02x", $0) }
        let lines = stride(from: 0, to: digits.count, by: 36).map { digits[$0..<min($0 + 36, digits.count)].joined() }
        let text = "Raw profile type \(name)\0\n\(name)\n      \(profile.count)\n\(lines.joined(separator: "\n"))\n"
        try place.write(picture(), to: "in.ppm")
        try place.vips("copy", "in.ppm", "in.png")
        let plain = try place.read("in.png")
        func restore(_ text: String) throws {
            let other = chunk("tEXt", Data("Raw profile type APP1\0\nAPP1\n 3\n61626\n".utf8))
            let file = plain.prefix(33) + (name == "exif" ? other : Data()) + chunk("tEXt", Data(text.utf8))
                + plain.dropFirst(33)
            try place.write(place.filter(input: file).output, to: "out.png")
        }
        try restore(text)
        #expect(try place.field("width", of: "out.png") == "13")
        #expect(try place.field("exif-ifd0-Artist", of: "out.png")?.hasPrefix("Ada") == true)
        for damaged in [String(text.dropLast(9)), String(text.prefix(30)), text.replacing("45", with: "4g")] {
            try restore(damaged)
            #expect(try place.field("width", of: "out.png") == "19")
        }
    }

    @Test func `an orientation that XMP alone tells of is left for others to apply`() throws {
        try place.write(picture(), to: "source.ppm")
        try place.vips("copy", "source.ppm", "plain.jpg[strip]")
        let plain = try place.read("plain.jpg")
        for (exif, left) in [(Data(), "6"), (exif(orientation: 1), "1")] {
            let outcome = try place.filter(input: adding(exif: exif, xmp: xmp(orientation: 6), toJPEG: plain))
            #expect(outcome.output.range(of: Data("tiff:Orientation=\"\(left)\"".utf8)) != nil)
        }
        try place.write(adding(exif: Data(), xmp: xmp(orientation: 6), toJPEG: plain), to: "turned.jpg")
        try place.vips("copy", "turned.jpg", "in.tif")
        #expect(try place.filter("in.tif").output.range(of: Data("tiff:Orientation=\"1\"".utf8)) != nil)
    }

    @Test(arguments: ["png", "jpeg", "webp", "tiff"])
    func `ICC, EXIF and XMP are kept from JPEG`(format: String) throws {
        try writeJPEG(orientation: 1)
        let outcome = try place.filter("in.jpg", "--format", format)
        #expect(outcome.status == 0)
        try place.write(outcome.output, to: "out")
        #expect(try place.field("icc-profile-data", of: "out") == place.field("icc-profile-data", of: "in.jpg"))
        #expect(try place.field("xmp-data", of: "out") == place.field("xmp-data", of: "in.jpg"))
        if format != "tiff" { #expect(try place.field("exif-ifd0-Artist", of: "out")?.hasPrefix("Ada") == true) }
    }

    @Test(arguments: ["png", "jpeg", "webp"])
    func `ICC, EXIF and XMP are kept from PNG`(format: String) throws {
        try writeJPEG(orientation: 1)
        try place.write(place.filter("in.jpg").output, to: "in.png")
        let outcome = try place.filter("in.png", "--format", format)
        try place.write(outcome.output, to: "out")
        #expect(try place.field("icc-profile-data", of: "out") == place.field("icc-profile-data", of: "in.jpg"))
        #expect(try place.field("xmp-data", of: "out") == place.field("xmp-data", of: "in.jpg"))
        #expect(try place.field("exif-ifd0-Artist", of: "out")?.hasPrefix("Ada") == true)
    }

    /// With tags that libexif does not know, and more of it than a JPEG can hold.
    @Test(arguments: [
        ("jpeg", "Exif\0\0", 0), ("jpeg", "Exif\0\0", 65_000), ("webp", "EXIF", 0), ("webp", "EXIF", 70_001),
    ])
    func `EXIF is kept byte for byte, once`(format: String, name: String, more: Int) throws {
        let exif = exif(orientation: 1) + Data(repeating: 7, count: more)
        let outcome = try place.filter("--format", format, input: png(exif: exif))
        #expect(outcome.status == 0)
        let found = try #require(outcome.output.range(of: exif))
        let named = try #require(outcome.output.range(of: Data(name.utf8)))
        #expect(named.lowerBound < found.lowerBound)
        #expect(outcome.output[named.upperBound...].range(of: Data(name.utf8)) == nil)
        try place.write(outcome.output, to: "out")
        #expect(try place.field("exif-ifd0-Artist", of: "out")?.hasPrefix("Ada") == true)
        #expect(try place.samples(of: "out").count == 19 * 13 * 3)
    }

    @Test(arguments: [6, 1])
    func `a JPEG has its resolution beside EXIF, turned with the picture`(orientation: UInt8) throws {
        let file = try png(exif: exif(orientation: orientation))
        try place.write(place.filter("--format", "jpeg", input: file).output, to: "out.jpg")
        let across = try #require(Double(place.field("xres", of: "out.jpg") ?? ""))
        #expect(abs(across - (orientation == 6 ? 5 : 10)) < 0.02)
    }

    @Test func `EXIF that no JPEG can hold is left out`() throws {
        let exif = exif(orientation: 1) + Data(repeating: 7, count: 65_535)
        let outcome = try place.filter("--format", "jpeg", input: png(exif: exif))
        #expect(outcome.status == 0 && outcome.output.range(of: Data("Ada".utf8)) == nil)
    }

    @Test func `EXIF is written once`() throws {
        try writeJPEG(orientation: 1)
        let file = try place.filter("in.jpg").output
        let first = try #require(file.range(of: Data("eXIf".utf8)))
        #expect(file[first.upperBound...].range(of: Data("eXIf".utf8)) == nil)
    }

    @Test(arguments: ["jpeg", "tiff"])
    func `an image without a resolution gets the usual one`(format: String) throws {
        try place.write(picture(), to: "in.ppm")
        try place.write(place.filter("in.ppm", "--format", format).output, to: "out")
        let resolution = try #require(Double(place.field("xres", of: "out") ?? ""))
        #expect(abs(resolution * 25.4 - 72) < 0.1)
    }

    /// Signed numbers of 16 bits and of 32.
    @Test(arguments: [8, 9] as [UInt8])
    func `an orientation of an unusual type is applied and reset`(type: UInt8) throws {
        try writeJPEG(orientation: 6)
        var file = try place.read("in.jpg")
        let entry = try #require(file.range(of: Data([0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0])))
        file.replaceSubrange(entry, with: [0x01, 0x12, 0, type, 0, 0, 0, 1] + (type == 8 ? [0, 6, 0, 0] : [0, 0, 0, 6]))
        try place.write(try place.filter("--format", "jpeg", input: file).output, to: "out.jpg")
        #expect(try place.field("exif-ifd0-Orientation", of: "out.jpg")?.hasPrefix("1") == true)
        #expect(try place.field("width", of: "out.jpg") == "13")
    }

    @Test(arguments: 1...8)
    func `the orientation is applied and reset`(orientation: Int) throws {
        try writeJPEG(orientation: UInt8(orientation))
        let outcome = try place.filter("in.jpg", "--strength", "0")
        try place.write(outcome.output, to: "out.png")
        try place.vips("autorot", "in.jpg", "upright.v")
        #expect(try place.samples(of: "out.png") == place.samples(of: "upright.v"))
        #expect(try place.field("exif-ifd0-Orientation", of: "out.png")?.hasPrefix("1") == true)
        let encoded = try #require(try place.field("xmp-data", of: "out.png"))
        #expect(Data(base64Encoded: encoded) == xmp(orientation: 1))
    }

    @Test(arguments: [(UInt8(1), "", UInt8(19), UInt8(13)), (6, "", 13, 19), (6, "--compare", 26, 19)])
    func `the sides that EXIF tells are those of the picture`(
        orientation: UInt8, option: String, width: UInt8, height: UInt8
    ) throws {
        let turned = try png(exif: exif(orientation: orientation))
        let outcome = try place.filter(option.isEmpty ? [] : [option], input: turned)
        let expected = chunk("eXIf", exif(orientation: 1, width: width, height: height))
        #expect(outcome.output.range(of: expected) != nil, "\(outcome.errors)")
    }

    /// It would show the picture as it was, and as it was turned.
    @Test func `the thumbnail is left out`() throws {
        var more = exif(orientation: 1)
        let next = 10 + 3 * 12 + 3, without = more
        more[next] = UInt8(more.count)
        let shown = Data("picture before".utf8), place = UInt8(more.count + 2 + 2 * 12 + 4)
        more += [0, 2, 0x02, 0x01, 0, 4, 0, 0, 0, 1, 0, 0, 0, place]
        more += [0x02, 0x02, 0, 4, 0, 0, 0, 1, 0, 0, 0, UInt8(shown.count), 0, 0, 0, 0] + shown
        let outcome = try self.place.filter(input: png(exif: more))
        #expect(outcome.output.range(of: without) != nil, "\(outcome.errors)")
        #expect(outcome.output.range(of: shown) == nil)
        let kept = more.prefix(next) + [0] + more[(next + 1)...].dropLast(shown.count)
        #expect(outcome.output.range(of: chunk("eXIf", kept)) != nil)
    }

    /// libpng would keep no more than so many if it were told to keep few.
    @Test func `XMP is found among other texts`() throws {
        try place.write(picture(), to: "in.ppm")
        try place.vips("copy", "in.ppm", "in.png")
        let file = try place.read("in.png"), note = chunk("iTXt", Data("Title\0\0\0\0\0Rain".utf8))
        let found = chunk("iTXt", Data("XML:com.adobe.xmp\0\0\0\0\0".utf8) + xmp(orientation: 1))
        let texts = (0..<2000).reduce(into: Data()) { texts, _ in texts += note } + found
        for end in [33, file.count - 12] {
            let outcome = try place.filter(input: file.prefix(end) + texts + file.dropFirst(end))
            try place.write(outcome.output, to: "out.png")
            #expect(Data(base64Encoded: try place.field("xmp-data", of: "out.png") ?? "") == xmp(orientation: 1))
        }
    }

    /// Photoshop's resources have it beside a thumbnail, which would show what there was before.
    @Test func `IPTC is kept by JPEG`() throws {
        try place.write(picture(), to: "in.ppm")
        try place.vips("copy", "in.ppm", "plain.jpg[strip]")
        let datasets = Data([0x1C, 2, 120, 0, 4]) + Data("rain".utf8)
        func resource(_ id: UInt8, _ data: Data, name: [UInt8] = [0, 0]) -> Data {
            let head: [UInt8] = Array("8BIM".utf8) + [4, id] + name + [0, 0, 0, UInt8(data.count)]
            return Data(head) + data + Data(count: data.count % 2)
        }
        let plain = try place.read("plain.jpg")
        func with(_ resources: Data) -> Data {
            let body = Data("Photoshop 3.0\0".utf8) + resources
            return plain.prefix(2) + Data([0xFF, 0xED, 0, UInt8(body.count + 2)]) + body + plain.dropFirst(2)
        }
        let thumbnail = resource(12, Data("seven b".utf8), name: [1, 65])
        try place.write(with(thumbnail + resource(4, datasets)), to: "in.jpg")
        #expect(try place.filter("-v", "in.jpg", "-o", "out.jpg").errors.contains("IPTC 9 bytes"))
        let kept = try place.read("out.jpg")
        #expect(kept.range(of: with(resource(4, datasets)).prefix(42).dropFirst(2)) != nil)
        #expect(kept.range(of: Data("seven b".utf8)) == nil)
        #expect(try place.filter("--strip", "in.jpg", "--format", "jpeg").output.range(of: datasets) == nil)
        for cut in 1..<41 {
            let file = with((thumbnail + resource(4, datasets)).prefix(cut))
            #expect(try place.filter("--format", "jpeg", input: file).output.range(of: datasets) == nil)
        }
    }

    /// WebP has no grey.
    @Test func `a grey profile stays with grey samples`() throws {
        try place.write(picture(bands: 1), to: "in.ppm")
        try place.vips("copy", "in.ppm", "plain.jpg[strip]")
        let profile = Data([0, 0, 0, 132, 0, 0, 0, 0, 2, 64, 0, 0]) + Data("mntrGRAYXYZ ".utf8) + Data(count: 12)
            + Data("acsp".utf8) + Data(count: 92)
        let plain = try place.read("plain.jpg")
        let segment = Data([0xFF, 0xE2, 0, 148]) + Data("ICC_PROFILE\0\u{1}\u{1}".utf8) + profile
        for (format, kept) in [("jpeg", true), ("webp", false)] {
            let outcome = try place.filter("--format", format, input: plain.prefix(2) + segment + plain.dropFirst(2))
            #expect(outcome.status == 0, "\(outcome.errors)")
            #expect((outcome.output.range(of: profile) != nil) == kept, "\(format)")
        }
    }

    @Test func `the resolution is kept and turns with the picture`() throws {
        try place.write(picture(), to: "in.ppm")
        try place.vips("copy", "in.ppm", "in.png", "--xres", "5", "--yres", "7")
        try place.write(place.filter("in.png").output, to: "out.png")
        #expect(try place.field("xres", of: "out.png") == "5")
        #expect(try place.field("yres", of: "out.png") == "7")
        let file = try place.read("in.png")
        let turned = file.prefix(33) + chunk("eXIf", exif(orientation: 6)) + file.dropFirst(33)
        try place.write(place.filter("--strength", "0", input: turned).output, to: "turned.png")
        #expect(try place.field("width", of: "turned.png") == "13")
        #expect(try place.read("turned.png").range(of: chunk("pHYs", Data([0, 0, 27, 88, 0, 0, 19, 136, 1]))) != nil)
    }

    @Test func `what a PNG says about its colours is kept`() throws {
        try place.write(picture(), to: "in.ppm")
        try place.vips("copy", "in.ppm", "in.png")
        let plain = try place.read("in.png")
        for said in [chunk("gAMA", Data([0, 1, 0x86, 0xA0])), chunk("cICP", Data([9, 16, 0, 1]))] {
            let outcome = try place.filter(input: plain.prefix(33) + said + plain.dropFirst(33))
            let place = try #require(outcome.output.range(of: said), "\(outcome.errors)")
            #expect(place.lowerBound < (try #require(outcome.output.range(of: Data("IDAT".utf8)))).lowerBound)
        }
    }

    @Test(arguments: ["png", "jpeg", "webp", "tiff"])
    func `a profile of other colours than the samples is left out`(format: String) throws {
        for (bands, profile, kept) in [(3, "cmyk", false), (3, "srgb", true), (1, "srgb", format == "webp")] {
            try place.write(picture(bands: bands), to: "in.pnm")
            try place.vips("copy", "in.pnm", "in.tif[profile=\(profile)]")
            try place.write(place.filter("in.tif", "--strength", "0", "--format", format).output, to: "out")
            #expect((try place.field("icc-profile-data", of: "out") != nil) == kept, "\(profile)")
        }
    }

    @Test func `damaged EXIF and profiles do no harm`() throws {
        try writeJPEG(orientation: 1)
        let hollow = Data("MM\0*\u{7F}\u{7F}\u{7F}\u{7F}".utf8)
        let damaged = adding(exif: hollow, xmp: Data(), toJPEG: try place.read("plain.jpg"))
        #expect(try place.filter(input: damaged).status == 0)
        let text = chunk("iCCP", Data("bad\0\0garbage".utf8))
        try place.vips("copy", "source.ppm", "in.png")
        let plain = try place.read("in.png")
        #expect(try place.filter(input: plain.prefix(33) + text + plain.dropFirst(33)).status == 0)
    }
}
