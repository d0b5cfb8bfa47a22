import Foundation
import Testing

/// PNM images may follow one another, as they do between the programs of netpbm.
struct StreamTests {
    let place = try! Workplace()
    let first = picture(width: 19, height: 13), second = picture(width: 24, height: 10, maximum: 65535)
    let third = picture(width: 9, height: 11, bands: 1)

    @Test func `each image is restored as it would be alone`() throws {
        var alone = Data()
        for image in [first, second, third] { alone += try place.filter("--format", "ppm", input: image).output }
        for arguments in [[], ["--format", "ppm"]] {
            let outcome = try place.filter(arguments, input: first + second + third)
            #expect(outcome.status == 0, "\(outcome.errors)")
            #expect(outcome.output == alone)
        }
        #expect(try place.filter("-o", "out.pnm", input: first + second + third).status == 0)
        #expect(try place.read("out.pnm") == alone)
    }

    @Test func `bitmaps follow one another too`() throws {
        let outcome = try place.filter("--strength", "0", input: Data("P4\n9 1\n".utf8) + [0x55, 0x80] + third)
        #expect(outcome.output == Data("P5\n9 1\n255\n".utf8) + [255, 0, 255, 0, 255, 0, 255, 0, 0] + third)
    }

    @Test func `an image is answered before the next is asked for`() throws {
        try place.write(first, to: "first")
        try place.write(third, to: "third")
        let outcome = try place.shell(
            """
            mkfifo in out
            "$FILTER" --strength 0 --format ppm < in > out & exec 3> in 4< out
            cat first >&3; timeout 20 head -c \(first.count) <&4
            cat third >&3; exec 3>&-; timeout 20 cat <&4; wait $!
            """)
        #expect(outcome.status == 0)
        #expect(outcome.output == first + third)
    }

    @Test func `one image is PNG unless told otherwise, white space after it or not`() throws {
        for input in [first, first + Data("\n".utf8)] {
            #expect(try place.filter(input: input).output.prefix(4) == Data([0x89, 0x50, 0x4E, 0x47]))
        }
    }

    @Test func `what cannot be followed is not followed without a word`() throws {
        try place.write(first, to: "in.ppm")
        try place.vips("copy", "in.ppm", "in.png")
        let png = try place.read("in.png"), plain = Data("P2\n2 1\n9\n0 9\n".utf8)
        for input in [png + png, png + Data("\n".utf8) + first, plain + plain, plain + png] {
            let outcome = try place.filter(input: input)
            #expect(outcome.status == 2)
            #expect(outcome.errors.contains("another image follows"))
            #expect(outcome.output.isEmpty)
        }
        #expect(try place.filter(input: png + Data("junk".utf8)).status == 0)
    }

    @Test func `what is cut short ends the stream after the images before it`() throws {
        let outcome = try place.filter("--strength", "0", input: first + third + second.dropLast())
        #expect(outcome.status == 2)
        #expect(outcome.errors.hasPrefix("mirl-filter: stdin: image 3: damaged PNM: sample 720 of 720 is missing"))
        #expect(outcome.output == first + third)
        #expect(try place.filter("-o", "out.ppm", input: first + second.dropLast()).status == 2)
        #expect(try place.files == [])
    }

    @Test(arguments: ["P6 99999 10 255\n", "P5\n30 30\n255\n"])
    func `what is too large ends the stream after the images before it`(header: String) throws {
        let refused = Data(header.utf8) + Data(count: 900)
        for images in [first, first + third] {
            let outcome = try place.filter("--strength", "0", "--limit-pixels", "899", input: images + refused)
            #expect(outcome.status == 2)
            #expect(outcome.errors.hasPrefix("mirl-filter: stdin: image \(images == first ? 2 : 3): "))
            #expect(outcome.output == images)
        }
    }

    @Test(arguments: ["P6 9", "P3 1 1 1 1 1 1", "junk"])
    func `what is no raw PNM cannot follow one`(rest: String) throws {
        let outcome = try place.filter(input: first + Data(rest.utf8))
        #expect(outcome.status == 2)
        #expect(outcome.errors == "mirl-filter: stdin: image 2: no raw PNM image, and nothing else can follow one\n")
        #expect(outcome.output.isEmpty)
    }

    @Test func `several images are refused where one file cannot hold them`() throws {
        for arguments in [["--format", "png"], ["-o", "out.jpg"]] {
            let outcome = try place.filter(arguments, input: first + third)
            #expect(outcome.status == 2)
            #expect(outcome.errors.contains("several images can only be written as ppm"))
            #expect(outcome.output.isEmpty)
        }
        #expect(try place.files == [])
    }

    @Test func `the limit holds for every image`() throws {
        let outcome = try place.filter("--limit-pixels", "99", "--strength", "0", input: third + first)
        #expect(outcome.status == 2)
        #expect(outcome.errors.contains("stdin: image 2: 19x13 pixels are more than the limit of 99"))
    }
}
