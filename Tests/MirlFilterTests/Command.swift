import Foundation

/// What a process came to.
struct Outcome {
    /// The exit status, or 128 plus the signal that ended it, as in a shell.
    let status: Int32
    let output: Data
    let errors: String
}

/// A folder of its own for a test, removed after it, with the programs run in it.
final class Workplace {
    let folder: URL
    /// The filter lies where the tests were built.
    static let filter = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        .appending(path: "mirl-filter").path

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "mirl-filter-tests-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    /// The names of all files, hidden ones too.
    var files: [String] { get throws { try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() } }

    func files(in subfolder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.appending(path: subfolder).path).sorted()
    }

    func write(_ bytes: Data, to name: String) throws { try bytes.write(to: folder.appending(path: name)) }

    func read(_ name: String) throws -> Data { try Data(contentsOf: folder.appending(path: name)) }

    func filter(_ arguments: String..., input: Data = Data()) throws -> Outcome {
        try filter(arguments, input: input)
    }

    func filter(_ arguments: [String], input: Data = Data()) throws -> Outcome {
        try run(Self.filter, arguments, input: input)
    }

    static let canHideProc =
        (try? Workplace().shell("unshare --mount --map-root-user mount -t tmpfs none /proc"))?.status == 0

    /// Runs a shell's script, which finds the filter in $FILTER.
    func shell(_ script: String) throws -> Outcome { try run("/bin/sh", ["-c", script], input: Data()) }

    /// For a script: starts a reader of the named pipe `out`, and goes on when that waits for a writer.
    static let readOut = """
        cat out & reader=$!; for i in $(seq 500); do grep -q '(cat) S' /proc/$reader/stat && break; sleep 0.02; done
        """
    /// For a script: whether that reader is done within 20 seconds.
    static let readerEnds = "{ timeout 20 tail --pid=$reader -s 0.05 -f /dev/null || { kill $reader; false; }; }"

    func vips(_ arguments: String...) throws {
        let outcome = try run("/usr/bin/vips", arguments, input: Data())
        if outcome.status != 0 { throw CommandFailed(errors: outcome.errors) }
    }

    /// A field of an image's header, such as width or xmp-data; nil where there is none.
    func field(_ name: String, of file: String) throws -> String? {
        let outcome = try run("/usr/bin/vipsheader", ["-f", name, file], input: Data())
        guard outcome.status == 0 else { return nil }
        return String(decoding: outcome.output, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// What libvips says of an image, such as "19x13 uchar, 3 bands, srgb, pngload".
    func facts(of file: String) throws -> String {
        let line = try run("/usr/bin/vipsheader", [file], input: Data()).output
        return String(decoding: line, as: UTF8.self)
    }

    /// The image's samples as they lie in memory.
    func samples(of file: String) throws -> Data {
        let raw = "\(UUID().uuidString).raw"
        try vips("rawsave", file, raw)
        defer { try? FileManager.default.removeItem(at: folder.appending(path: raw)) }
        return try read(raw)
    }

    /// Input and output are files, so that no pipe can fill up.
    private func run(_ program: String, _ arguments: [String], input: Data) throws -> Outcome {
        let streams = try Streams(input: input)
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.currentDirectoryURL = folder
        process.environment = ProcessInfo.processInfo.environment.merging(["FILTER": Self.filter]) { $1 }
        process.standardInput = streams.input
        process.standardOutput = streams.output
        process.standardError = streams.errors
        try process.run()
        process.waitUntilExit()
        let status = process.terminationStatus + (process.terminationReason == .uncaughtSignal ? 128 : 0)
        return Outcome(
            status: status, output: try streams.contents(of: streams.output),
            errors: String(decoding: try streams.contents(of: streams.errors), as: UTF8.self))
    }
}

struct CommandFailed: Error {
    let errors: String
}

/// Three nameless files that serve a process as its standard streams.
private struct Streams {
    let input, output, errors: FileHandle

    init(input bytes: Data) throws {
        input = try Self.namelessFile()
        output = try Self.namelessFile()
        errors = try Self.namelessFile()
        try input.write(contentsOf: bytes)
        try input.seek(toOffset: 0)
    }

    func contents(of file: FileHandle) throws -> Data {
        try file.seek(toOffset: 0)
        return try file.readToEnd() ?? Data()
    }

    private static func namelessFile() throws -> FileHandle {
        let url = FileManager.default.temporaryDirectory.appending(path: "mirl-filter-stream-\(UUID().uuidString)")
        guard FileManager.default.createFile(atPath: url.path, contents: nil) else {
            throw CocoaError(.fileWriteUnknown)
        }
        defer { try? FileManager.default.removeItem(at: url) }
        return try FileHandle(forUpdating: url)
    }
}
