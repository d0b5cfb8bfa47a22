// include/libmirl.abi guards the interface: nothing that would break a program that was compiled before passes unseen.
import Foundation
import Testing

@Suite struct RecordTests {
    /// Copies include/ with one change of the header, and of the version script where `symbol` changes there too.
    private func check(
        replacing old: String, with new: String, symbol: (old: String, new: String)? = nil
    ) throws -> Outcome {
        let folder = Workshop.folder.appending(path: "include-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: Workshop.folder, withIntermediateDirectories: true)
        try FileManager.default.copyItem(at: Workshop.sources.appending(path: "include"), to: folder)
        defer { try? FileManager.default.removeItem(at: folder) }
        try change(folder.appending(path: "mirl.h"), old, new)
        if let symbol { try change(folder.appending(path: "libmirl.map"), symbol.old, symbol.new) }
        return try Workshop.run("tools/abi", ["check", folder.path])
    }

    private func change(_ file: URL, _ old: String, _ new: String) throws {
        let text = try String(contentsOf: file, encoding: .utf8)
        #expect(text.contains(old))
        try Data(text.replacing(old, with: new).utf8).write(to: file)
    }

    @Test func holdsForTheHeaderAsItIs() throws {
        let outcome = try check(replacing: "/* The bytes of a pixel", with: "/* A comment; the bytes of a pixel")
        #expect(outcome.status == 0, "\(outcome.text)\(outcome.errors)")
    }

    @Test(arguments: [
        ("uint32_t width, height;", "uint32_t height, width;"),
        ("uint32_t width, height;", "uint32_t width, height, depth;"),
        ("typedef int32_t mirl_task;", "typedef int64_t mirl_task;"),
        ("typedef int (*mirl_progress)(void *user_data, float", "typedef int (*mirl_progress)(void *user_data, double"),
        ("size_t mirl_format_bytes(mirl_format format);", "uint32_t mirl_format_bytes(mirl_format format);"),
        ("char message[500];", "char message[501];"),
        ("#define MIRL_VERSION_MAJOR 1", "#define MIRL_VERSION_MAJOR 2"),
    ])
    func catchesAChange(old: String, new: String) throws {
        let outcome = try check(replacing: old, with: new)
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("is not what libmirl.abi records"))
    }

    @Test func isPartOfWhatRunsOnEveryChange() throws {
        let script = try String(contentsOf: Workshop.sources.appending(path: ".ci/run"), encoding: .utf8)
        #expect(script.contains("\nmake check "))
        let steps = try Workshop.run("make", ["-n", "check"]).text
        #expect(steps.contains("\ntools/abi check\n"))
        #expect(steps.contains("\nmandoc -T lint -W warning man/"))
        #expect(steps.contains("-m unittest discover -s plugins/vips/tests"))
    }

    @Test func catchesAFunctionThatIsGone() throws {
        let outcome = try check(
            replacing: "const char *mirl_task_name(mirl_task task);", with: "", symbol: ("    mirl_task_name;\n", ""))
        #expect(outcome.status == 1)
        #expect(outcome.text.contains("mirl_task_name"))
    }
}
