import Foundation
import Testing

/// Every example of mirl-filter(1) works as it stands there.
struct ManualTests {
    let place = try! Workplace()

    static let page = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../man/mirl-filter.1")

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
        "jpegtopnm": "exec cat picture.ppm",
        "pnmscale": "exec cat",
    ]

    init() throws {
        try place.write(picture(), to: "picture.ppm")
        for name in ["rainy.jpg", "photo.jpg", "hazy.png", "upload.png"] { try place.vips("copy", "picture.ppm", name) }
        for (name, script) in Self.standIns { try place.write(Data("#!/bin/sh\n\(script)\n".utf8), to: name) }
        let outcome = try place.shell(
            "mv upload.png upload; ln -s \"$FILTER\" mirl-filter; chmod +x *; mkdir bin; mv mirl-filter \(Self.standIns.keys.joined(separator: " ")) bin")
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
        let page = try String(contentsOf: Self.page, encoding: .utf8).components(separatedBy: ".Bl -tag").dropFirst().first ?? ""
        let items = page.components(separatedBy: "\n").filter { $0.hasPrefix(".It Fl") }
        let words = items.flatMap { $0.components(separatedBy: " ") }
        let explained = Set(words.filter { $0.hasPrefix("-") }.map { String($0.dropFirst()) })
        #expect(listed.symmetricDifference(explained) == ["generate-completion-script"])
    }

    @Test func `there are examples`() {
        #expect(Self.examples.count >= 9)
    }
}
