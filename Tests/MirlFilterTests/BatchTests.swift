import Foundation
import Testing

/// Many files go to a folder: all that can be restored are, and nothing is lost.
struct BatchTests {
    let place = try! Workplace()

    init() throws {
        try place.write(picture(), to: "in.ppm")
        for name in ["a.jpg", "b.JPEG", "c.png", "d.gif", "e.tif"] { try place.vips("copy", "in.ppm", name) }
    }

    func loader(_ file: String) throws -> String? { try place.field("vips-loader", of: file) }

    @Test func `files keep their names and formats, or become PNG`() throws {
        try place.write(place.read("c.png"), to: "noise")
        let files = ["a.jpg", "b.JPEG", "c.png", "d.gif", "e.tif", "in.ppm", "noise"]
        let outcome = try place.filter(files + ["--outdir", "out"])
        #expect(outcome.status == 0)
        #expect(outcome.errors == "")
        #expect(try place.files(in: "out") == ["a.jpg", "b.JPEG", "c.png", "d.png", "e.tif", "in.ppm", "noise.png"])
        let formats = [("a.jpg", "jpeg"), ("b.JPEG", "jpeg"), ("c.png", "png"), ("d.png", "png"), ("e.tif", "tiff")]
        for (name, format) in formats {
            #expect(try loader("out/\(name)") == "\(format)load")
        }
    }

    @Test func `--format changes the suffix where that names another format`() throws {
        #expect(try place.filter("a.jpg", "b.JPEG", "c.png", "--format", "jpg", "--outdir", "out").status == 0)
        #expect(try place.files(in: "out") == ["a.jpg", "b.JPEG", "c.jpg"])
        #expect(try loader("out/c.jpg") == "jpegload")
    }

    @Test func `each file is restored as it would be alone`() throws {
        let outcome = try place.filter("c.png", "in.ppm", "--format", "png", "--task", "derain", "--outdir", "out")
        #expect(outcome.status == 0)
        for (input, output) in [("c.png", "out/c.png"), ("in.ppm", "out/in.png")] {
            #expect(try place.read(output) == place.filter("--task", "derain", input).output)
        }
    }

    /// They are gone when the first file is read: it can only be opened for writing when it is for reading.
    @Test func `the weights are opened once`() throws {
        let weights = ManualTests.sources.appending(path: "weights/lite.mirl")
        try FileManager.default.copyItem(at: weights, to: place.folder.appending(path: "lite.mirl"))
        let outcome = try place.shell(
            """
            mkfifo first.ppm
            timeout 60 "$FILTER" --weights lite.mirl first.ppm c.png --outdir out &
            timeout 60 sh -c 'exec 3> first.ppm; rm lite.mirl; cat in.ppm >&3'
            wait $!
            """)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try place.files(in: "out") == ["c.png", "first.ppm"])
    }

    @Test func `a bad file is told of and the others are restored`() throws {
        try place.write(Data("no image".utf8), to: "bad.jpg")
        let outcome = try place.filter("bad.jpg", "a.jpg", "missing.png", "c.png", "--outdir", "out")
        #expect(outcome.status == 2)
        #expect(try place.files(in: "out") == ["a.jpg", "c.png"])
        let lines = outcome.errors.split(separator: "\n")
        #expect(lines.count == 3)
        #expect(lines[0].hasPrefix("mirl-filter: bad.jpg: not an image"))
        #expect(lines[1].hasPrefix("mirl-filter: missing.png: No such file"))
        #expect(lines[2] == "mirl-filter: 2 of 4 files failed")
    }

    @Test func `a failure to write is worse than a bad file`() throws {
        try place.write(Data("no image".utf8), to: "bad.jpg")
        let outcome = try place.shell("ulimit -f 0; trap '' XFSZ; \"$FILTER\" bad.jpg a.jpg --outdir out 2> /dev/null")
        #expect(outcome.status == 1)
        #expect(!(try place.files.contains("out")))
    }

    @Test func `what makes the work useless is found before it`() throws {
        let link = try place.shell("ln -s nowhere out; \"$FILTER\" -v a.jpg c.png --outdir out")
        #expect(link.status == 1)
        #expect(link.errors == "mirl-filter: out: No such file or directory\n")
        let folder = try place.shell("rm out; mkdir -p out/c.png; \"$FILTER\" -v a.jpg c.png --outdir out")
        #expect(folder.status == 64)
        #expect(folder.errors.hasPrefix("mirl-filter: out/c.png: a folder"))
        #expect(try place.files(in: "out") == ["c.png"])
    }

    @Test(arguments: [".", "../$(basename \"$PWD\")", "$PWD", "link"])
    func `an input is never replaced`(outdir: String) throws {
        let before = try place.read("a.jpg")
        let outcome = try place.shell("ln -s . link; \"$FILTER\" c.png a.jpg --outdir \"\(outdir)\"")
        #expect(outcome.status == 64)
        #expect(outcome.errors.contains("would replace an input"))
        #expect(try place.read("a.jpg") == before)
    }

    @Test func `an input is not replaced through a link in the folder`() throws {
        let outcome = try place.shell("mkdir out; ln -s ../a.jpg out/c.png; \"$FILTER\" c.png a.jpg --outdir out")
        #expect(outcome.status == 64)
    }

    @Test func `two results do not go through links into one file`() throws {
        let outcome = try place.shell(
            "mkdir out; touch out/c.png; ln -s c.png out/d.png; \"$FILTER\" c.png d.gif --outdir out")
        #expect(outcome.status == 64 && outcome.errors.contains("would be made of both c.png and d.gif"))
    }

    /// The link leads to where the other result is to appear.
    @Test(arguments: ["d.png", "../out/d.png"])
    func `two results do not go into one file that is not there yet`(target: String) throws {
        let outcome = try place.shell("mkdir out; ln -s \(target) out/c.png; \"$FILTER\" c.png d.gif --outdir out")
        #expect(outcome.status == 64 && outcome.errors.contains("would be made of both c.png and d.gif"))
        #expect(try place.files(in: "out") == ["c.png"])
    }

    @Test func `what cannot be restored is told of by its name`() throws {
        let outcome = try place.filter("a.jpg", "in.ppm", "--memory", "1M", "--outdir", "out")
        #expect(outcome.status == 1)
        let lines = outcome.errors.split(separator: "\n")
        #expect(lines[0].hasPrefix("mirl-filter: a.jpg: 19x") && lines[1].hasPrefix("mirl-filter: in.ppm: 19x"))
    }

    /// é, whole and as e with an accent.
    @Test func `names that are written alike are of two files`() throws {
        let outcome = try place.shell(
            #"cp in.ppm $(printf '\303\251.ppm'); cp in.ppm $(printf 'e\314\201.ppm'); "$FILTER" *.ppm --outdir out"#)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try place.shell("ls out | wc -l").output == Data("3\n".utf8))
    }

    @Test func `two files cannot become one`() throws {
        let outcome = try place.shell("mkdir x; cp c.png x; \"$FILTER\" c.png x/c.png --outdir out")
        #expect(outcome.status == 64)
        #expect(outcome.errors.contains("out/c.png: would be made of both c.png and x/c.png"))
        #expect(!(try place.files.contains("out")))
    }

    @Test func `the folder must be one, or be creatable`() throws {
        for (outdir, reason) in [
            ("in.ppm", "in.ppm: not a folder"), ("missing/out", "missing: No such file"), ("/proc", "/proc: "),
        ] {
            let outcome = try place.filter("a.jpg", "--outdir", outdir)
            #expect(outcome.status == 1)
            #expect(outcome.errors.contains(reason), "\(outcome.errors)")
        }
    }

    @Test func `the folder's name may end in slashes`() throws {
        #expect(try place.filter("a.jpg", "--outdir", "out//").status == 0)
        #expect(try place.files(in: "out") == ["a.jpg"])
    }

    @Test func `a folder appears with its first file only`() throws {
        try place.write(Data("no image".utf8), to: "bad.jpg")
        #expect(try place.filter("bad.jpg", "--outdir", "out").status == 2)
        #expect(!(try place.files.contains("out")))
    }

    @Test func `what was restored before is replaced`() throws {
        #expect(try place.filter("a.jpg", "--outdir", "out", "--strength", "0").status == 0)
        let before = try place.read("out/a.jpg")
        #expect(try place.filter("a.jpg", "--outdir", "out").status == 0)
        #expect(try place.read("out/a.jpg") != before)
        #expect(try place.files(in: "out") == ["a.jpg"])
    }

    @Test func `the progress bar counts files`() throws {
        let outcome = try place.shell("script -qec '\"$FILTER\" a.jpg c.png --outdir out' /dev/null")
        #expect(String(decoding: outcome.output, as: UTF8.self).contains("2 of 2 ["))
    }
}
