// mirl(3) and mirl(7) say what the header says, and their examples do what they promise.
import Foundation
import Testing

@Suite struct ManualTests {
    static let library = Result { try Page.all().filter { $0.section == "3" } }

    /// The header without comments and its words one space apart.
    private func header() throws -> String {
        try String(contentsOf: Workshop.sources.appending(path: "include/mirl.h"), encoding: .utf8)
            .replacing(/\/\*(?:[^*]|\*[^\/])*\*\//, with: "").replacing(/\s+/, with: " ")
    }

    @Test func everyFunctionHasItsPrototypeInAPage() throws {
        let declared = try header().matches(of: /((?:const )?\w+ \*?)(mirl_\w+)\(([^()]*)\);/)
            .map { "\($0.1)\($0.2)(\($0.3))" }
        #expect(declared.count > 10)
        #expect(try Set(Self.library.get().flatMap(\.prototypes)) == Set(declared))
    }

    @Test func everyFunctionIsANameOfAPage() throws {
        let functions = try header().matches(of: /(mirl_\w+)\([^()]*\);/).map { String($0.1) }
        #expect(try Set(functions + ["mirl"]) == Set(Self.library.get().flatMap(\.names)))
    }

    /// In the header, by the comment of the paragraph that declares it.
    @Test func everyFunctionIsExplained() throws {
        let header = try String(contentsOf: Workshop.sources.appending(path: "include/mirl.h"), encoding: .utf8)
        let paragraphs = header.components(separatedBy: "\n\n")
            .filter { $0.contains(/(?:^|\n)(?:typedef )?\w[\w *]*(?:mirl_\w+|\(\*mirl_\w+\))\(/) }
        #expect(paragraphs.count > 15)
        for paragraph in paragraphs { #expect(paragraph.hasPrefix("/* "), "\(paragraph)") }
    }

    @Test(arguments: ["mirl-filter.1", "mirl.3"])
    func environmentVariablesAreExplained(page: String) throws {
        let page = try String(contentsOf: Workshop.sources.appending(path: "man/\(page)"), encoding: .utf8)
        let reads = try Workshop.run("grep", ["-rhoE", "getenv\\(\"MIRL_[A-Z_]+", "Sources", "plugins"])
        let names = Set(reads.text.split(separator: "\n").map { $0.drop { $0 != "M" } })
        #expect(!names.isEmpty)
        for name in names { #expect(page.contains("\n.It Ev \(name)\n"), "\(name)") }
    }

    @Test func typesAreTheHeaders() throws {
        let types = try Self.library.get().flatMap { $0.displays { $0 == "DESCRIPTION" } }
        #expect(types.count > 5)
        let header = try header()
        for type in types {
            #expect(header.contains(type.replacing(/\s+/, with: " ").trimmingCharacters(in: .whitespaces)), "\(type)")
        }
    }

    @Test func programsCompileAndRun() throws {
        for page in try Self.library.get() {
            for (i, program) in page.displays(where: { $0 == "EXAMPLES" }).enumerated() {
                let outcome = try Workshop.program("\(page.names[0])-\(i)", source: program, flags: ["-fopenmp"]).run()
                #expect(outcome.status == 0, "\(page.file.lastPathComponent): \(outcome.errors)")
            }
        }
    }

    /// The README's lines of C and C++ stand in a function that gets an image.
    @Test(arguments: [("c", "int restore"), ("cpp", "void restore")])
    func readmeCompiles(language: String, function: String) throws {
        let readme = try String(contentsOf: Workshop.sources.appending(path: "README.md"), encoding: .utf8)
        let block = try #require(readme.firstMatch(of: Regex("```\(language)\n((?s:.*?))```"))?.output[1].substring)
        let lines = block.split(separator: "\n")
        let includes = lines.filter { $0.hasPrefix("#") }, rest = lines.filter { !$0.hasPrefix("#") }
        let program = """
            \((includes.isEmpty ? ["#include <mirl.hpp>"] : includes).joined(separator: "\n"))
            \(function)(uint32_t width, uint32_t height, size_t stride, unsigned char *pixels)
            {
            (void)stride;
            \(rest.joined(separator: "\n"))
            \(language == "c" ? "return 0;" : "")
            }
            int main(void)
            {
                unsigned char pixels[9 * 8 * 3] = { 0 };
                \(language == "c" ? "return" : "") restore(9, 8, 27, pixels);
            }
            """
        #expect(try Workshop.program("readme-\(language)", source: program, flags: []).run().status == 0)
    }

    /// The examples of the overview, one after another in a folder that holds the photos they speak of.
    @Test func shellExamplesRun() throws {
        let folder = Workshop.folder.appending(path: "overview")
        try? FileManager.default.removeItem(at: folder)
        try FileManager.default.createDirectory(at: folder.appending(path: "photos"), withIntermediateDirectories: true)
        let photo = Data("P6\n40 30\n255\n".utf8) + Data((0..<3600).map { UInt8($0 * $0 % 251) })
        try photo.write(to: folder.appending(path: "photo.ppm"))
        let tree = try InstallTests.tree.get().path, prefix = tree + InstallTests.prefix
        let examples = try Page(Workshop.sources.appending(path: "man/mirl.7")).displays { $0 == "EXAMPLES" }
        #expect(examples.count > 4)
        let photos = """
            for name in rainy hazy 'photos/one' 'photos/the other'; do vips copy photo.ppm "$name.jpg"; done
            """
        for example in [photos] + examples {
            let outcome = try Workshop.run(
                "PATH=\(prefix)/bin:/usr/bin:/bin",
                ["LD_LIBRARY_PATH=\(prefix)/lib", "PKG_CONFIG_PATH=\(prefix)/lib/pkgconfig",
                 "PKG_CONFIG_SYSROOT_DIR=\(tree)", "sh", "-ec", "cd '\(folder.path)'\n\(example)"])
            #expect(outcome.status == 0, "\(example): \(outcome.errors)")
        }
        for file in ["clear.png", "clear/one.png", "clear/the other.png", "preview.webp", "smallest"] {
            #expect(FileManager.default.fileExists(atPath: folder.appending(path: file).path), "\(file)")
        }
    }
}
