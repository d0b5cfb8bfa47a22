import Foundation
import Testing

/// Every example of mirl-filter(1) works as it stands there.
struct ManualTests {
    let place = try! Workplace()

    static let sources = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..")
    static let page = sources.appending(path: "man/mirl-filter.1")

    /// The displays of the section EXAMPLES.
    static let examples: [String] = {
        let text = (try? String(contentsOf: page, encoding: .utf8)) ?? ""
        let section = text.components(separatedBy: ".Sh EXAMPLES\n").last?.components(separatedBy: "\n.Sh ").first ?? ""
        return section.components(separatedBy: ".Bd -literal -offset indent\n").dropFirst()
            .map { $0.components(separatedBy: "\n.Ed").first ?? "" }
    }()

    /// Programs that are needed for nothing else: each hands on or takes something of the right kind.
    static let standIns = [
        "ffmpeg": """
            for last; do :; done
            case $last in
            -) printf 'YUV4MPEG2 W4 H2 F25:1 C420jpeg\\nFRAME\\nabcdefghabcd' ;;
            *) exec cat > "$last" ;;
            esac
            """,
        "curl": "exec cat rainy.jpg",
        "jpegtopnm": "exec cat picture.ppm",
        "pnmscale": "exec cat",
    ]

    init() throws {
        try place.write(picture(), to: "picture.ppm")
        for name in ["rainy.jpg", "photo.jpg", "hazy.png", "upload.png"] { try place.vips("copy", "picture.ppm", name) }
        for (name, script) in Self.standIns { try place.write(Data("#!/bin/sh\n\(script)\n".utf8), to: name) }
        let outcome = try place.shell(
            """
            mv upload.png upload; ln -s "$FILTER" mirl-filter; chmod +x *
            mkdir bin; mv mirl-filter \(Self.standIns.keys.joined(separator: " ")) bin
            """)
        #expect(outcome.status == 0, "\(outcome.errors)")
    }

    @Test(arguments: examples)
    func `an example of the manual page works`(example: String) throws {
        try place.write(Data(example.utf8), to: "example")
        let before = try place.files
        let outcome = try place.shell("PATH=\"$PWD/bin:$PATH\" exec bash -eo pipefail example")
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(example.contains("/dev/null") == (try place.files == before))
        #expect(try place.shell("find . -empty").output.isEmpty)
    }

    /// Long options, as in --limit-pixels; the parser adds the last one by itself.
    @Test func `the manual page and the help have the same options`() throws {
        let help = String(decoding: try place.shell("\"$FILTER\" --help").output, as: UTF8.self)
        let listed = Set(help.matches(of: /--([a-z][a-z0-9-]+)/).map { String($0.1) })
        let page = try String(contentsOf: Self.page, encoding: .utf8).components(separatedBy: ".Bl -tag").dropFirst()
            .first ?? ""
        let items = page.components(separatedBy: "\n").filter { $0.hasPrefix(".It Fl") }
        let words = items.flatMap { $0.components(separatedBy: " ") }
        let explained = Set(words.filter { $0.hasPrefix("-") }.map { String($0.dropFirst()) })
        #expect(listed.symmetricDifference(explained) == ["generate-completion-script"])
    }

    /// The README's commands for the shell, one after another: the first block, and those under "From the shell".
    @Test func `the examples of the README work`() throws {
        let readme = try String(contentsOf: Self.sources.appending(path: "README.md"), encoding: .utf8)
        let shell = readme.components(separatedBy: "## From the shell\n").last?
            .components(separatedBy: "\n## ").first ?? ""
        let commands = (readme.components(separatedBy: "\n## ")[0] + shell).split(separator: "\n")
            .filter { $0.hasPrefix("    ") }
        #expect(commands.count >= 7)
        for (name, source) in [("hazy.jpg", "rainy.jpg"), ("noisy.png", "hazy.png")] {
            try place.write(place.read(source), to: name)
        }
        for command in commands {
            try place.write(Data(command.utf8), to: "example")
            let outcome = try place.shell("PATH=\"$PWD/bin:$PATH\" exec bash -eo pipefail example")
            #expect(outcome.status == 0, "\(command): \(outcome.errors)")
        }
        for name in [
            "out.png", "clear.png", "soft.png", "photo.png", "restored/rainy.jpg", "before-and-after.jpg", "out.mp4",
        ] {
            #expect(try !place.read(name).isEmpty, "\(name)")
        }
    }

    @Test func `there are examples`() {
        #expect(Self.examples.count >= 9)
    }
}
