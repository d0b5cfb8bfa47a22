// A page of the manual, taken apart: names, prototypes, and what stands in its displays.
import Foundation

struct Page {
    let file: URL
    private let lines: [Substring]

    static func all() throws -> [Page] {
        let folder = Workshop.sources.appending(path: "man")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        return try names.map { try Page(folder.appending(path: $0)) }
    }

    init(_ file: URL) throws {
        self.file = file
        lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n", omittingEmptySubsequences: false)
    }

    var section: String { file.pathExtension }

    var names: [String] {
        lines(of: "NAME").filter { $0.hasPrefix(".Nm ") }.map { String($0.dropFirst(4).prefix { $0 != " " }) }
    }

    /// As C writes them: `mirl_status mirl_model_open(const char *path, ...)`.
    var prototypes: [String] {
        var type = ""
        return lines(of: "SYNOPSIS").compactMap { line in
            if line.hasPrefix(".Ft ") { type = String(line.dropFirst(4)) }
            guard let function = line.firstMatch(of: /^\.Fn (\w+) (.*)/) else { return nil }
            let arguments = function.2.matches(of: /"([^"]+)"|(\w+)/).map { String($0.1 ?? $0.2!) }
            return "\(type) \(function.1)(\(arguments.joined(separator: ", ")))".replacing("* ", with: "*")
        }
    }

    /// The literal displays, as a reader sees them, of the sections that `isWanted` names.
    func displays(where isWanted: (String) -> Bool) -> [String] {
        var section = "", display: [String]?, all: [String] = []
        for line in lines {
            if let title = line.firstMatch(of: /^\.Sh (.+)/) { section = String(title.1) }
            if line.hasPrefix(".Bd -literal") && isWanted(section) {
                display = []
            } else if line == ".Ed", let text = display {
                all.append(text.joined(separator: "\n") + "\n")
                display = nil
            } else {
                let plain = String(line).replacing(#"\&"#, with: "").replacing(#"\e"#, with: #"\"#)
                display?.append(plain.replacing(#"\-"#, with: "-"))
            }
        }
        return all
    }

    private func lines(of section: String) -> ArraySlice<Substring> {
        lines.drop { $0 != ".Sh \(section)" }.dropFirst().prefix { !$0.hasPrefix(".Sh ") }
    }
}
