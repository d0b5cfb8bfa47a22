import Foundation
import MirlTestSupport
import MirlWeights
import Testing

/// mirl-weights as a process: its output, messages and exit codes.
struct ToolTests {
    private let folder: URL
    private var input: String { folder.appending(path: "in.safetensors").path }
    private var output: String { folder.appending(path: "out.mirl").path }

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "mirl-weights-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data(Checkpoint(.tiny).safetensors).write(to: URL(filePath: input))
    }

    private struct Outcome {
        var code: Int32
        var out: String
        var error: String
    }

    /// The program that was built beside the tests.
    private static let program = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
        .appending(path: "mirl-weights")

    private func run(_ arguments: String..., output: String? = nil) throws -> Outcome {
        try run(Self.program, arguments, output: output)
    }

    /// Runs a shell's script in the folder of the files; it finds the program in $WEIGHTS.
    private func shell(_ script: String) throws -> Outcome {
        let start = "cd '\(folder.path)'; WEIGHTS='\(Self.program.path)'; "
        return try run(URL(filePath: "/bin/sh"), ["-c", start + script])
    }

    private func run(_ program: URL, _ arguments: [String], output: String? = nil) throws -> Outcome {
        let process = Process()
        process.executableURL = program
        process.arguments = arguments
        let out = Pipe(), error = Pipe()
        process.standardOutput = try output.map { try FileHandle(forWritingTo: URL(filePath: $0)) } ?? out
        process.standardError = error
        try process.run()
        // Everything that the program says fits in the pipes.
        process.waitUntilExit()
        if output != nil { try out.fileHandleForWriting.close() }
        return Outcome(
            code: process.terminationStatus,
            out: String(decoding: out.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self),
            error: String(decoding: error.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self))
    }

    private func cleanUp() { try? FileManager.default.removeItem(at: folder) }

    @Test func packInfoAndVerify() throws {
        defer { cleanUp() }
        let packed = try run("pack", input, output, "--values", "fp16", "--provenance", "by hand")
        #expect(packed.code == 0 && packed.out == "" && packed.error == "")
        let verified = try run("verify", output)
        #expect(verified.code == 0 && verified.out == "" && verified.error == "")
        let info = try run("info", output)
        #expect(info.code == 0 && info.error == "")
        for text in ["by hand", "width               4\n", "denoise derain dehaze", "1x1", "prompt"] {
            #expect(info.out.contains(text), "\(info.out)")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).count == 2)
    }

    /// Escape sequences, overrides of the direction in which text runs, and lines like those of `info`.
    @Test func hostileCheckpointsTakeNoTerminalByTheirProvenance() throws {
        defer { cleanUp() }
        #expect(try run("pack", input, output, "--provenance", "a\u{1B}[31m\nsize b\u{202E}c\u{2066}d\u{200F}e").code == 0)
        #expect(try run("info", output).out.hasPrefix("provenance          a?[31m\n                    size b?c?d?e\n"))
    }

    @Test func namesTakeNoTerminal() throws {
        defer { cleanUp() }
        let name = "\u{1B}[31m", path = folder.appending(path: name).path
        try FileManager.default.copyItem(atPath: input, toPath: path)
        for outcome in [try run("info", output, name), try run("pack", path, path), try run("info", path)] {
            #expect(outcome.code != 0 && outcome.error.contains("?[31m") && !outcome.error.contains("\u{1B}"))
        }
    }

    /// The examples of mirl-weights(1), in a folder that holds the files they speak of.
    @Test func examplesOfTheManualWork() throws {
        defer { cleanUp() }
        let here = URL(filePath: #filePath).deletingLastPathComponent()
        let checkpoints = here.appending(path: "Checkpoints")
        let page = try String(contentsOf: here.appending(path: "../../man/mirl-weights.1"), encoding: .utf8)
        let section = try #require(
            page.components(separatedBy: ".Sh EXAMPLES\n").last?.components(separatedBy: "\n.Sh ").first)
        let commands = section.split(separator: "\n").filter { $0.hasPrefix("$ ") }.map { $0.dropFirst(2) }
        #expect(commands.count >= 4)
        for (name, source) in [("lite.safetensors", "weights.safetensors"), ("model.ckpt", "lightning.ckpt")] {
            try FileManager.default.copyItem(at: checkpoints.appending(path: source), to: folder.appending(path: name))
        }
        let start = "set -e; PATH=$(dirname \"$WEIGHTS\"):$PATH; printf 'P5 3 2 255\\nabcdef' > rainy.jpg; "
        let outcome = try shell(start + commands.joined(separator: "\n"))
        #expect(outcome.code == 0 && outcome.error == "", "\(outcome.error)")
        #expect(try Data(contentsOf: folder.appending(path: "clear.png")).count > 0)
    }

    @Test func promptsMayHaveEightBits() throws {
        defer { cleanUp() }
        #expect(try run("pack", input, output, "--prompts", "int8").code == 0)
        #expect(try run("verify", output).code == 0)
        #expect(try run("info", output).out.contains("fp16, prompts int8\n"))
    }

    @Test func importGivesWhatPackGives() throws {
        defer { cleanUp() }
        let checkpoints = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Checkpoints")
        let reference = folder.appending(path: "reference.mirl").path
        #expect(try run("pack", checkpoints.appending(path: "weights.safetensors").path, reference).code == 0)
        let lightning = checkpoints.appending(path: "lightning.ckpt").path
        let outcome = try run("import", lightning, output, "--prefix", "state_dict.net.")
        #expect(outcome.code == 0 && outcome.out == "" && outcome.error == "")
        #expect(FileManager.default.contentsEqual(atPath: output, andPath: reference))
        #expect(try run("import", checkpoints.appending(path: "plain.pth").path, output, "--values", "fp32").code == 0)
        #expect(!FileManager.default.contentsEqual(atPath: output, andPath: reference))
    }

    @Test func importRefusesWhatWouldRunAndLeavesNoFile() throws {
        defer { cleanUp() }
        let trace = folder.appending(path: "trace").path
        let hostile = Pickled.call("posix", "system", Pickled.text("touch \(trace)"))
        let state = Pickled.dictionary(Checkpoint(.tiny).pickledTensors)
        let file = Checkpoint(.tiny).torchFile(Pickled.dictionary([("a", hostile), ("state_dict", state)]))
        try Data(file.bytes).write(to: URL(filePath: input))
        let outcome = try run("import", input, output)
        #expect(outcome.code == 2)
        #expect(outcome.error.hasPrefix("mirl-weights: \(input): pickle at byte 10: names \"posix.system\""))
        #expect(!FileManager.default.fileExists(atPath: output))
        #expect(try run("import", input, output, "--skip-unknown").code == 0)
        #expect(FileManager.default.fileExists(atPath: output) && !FileManager.default.fileExists(atPath: trace))
    }

    /// Within 2 seconds of the processor and 600 MB of addresses.
    @Test(arguments: HostileCheckpointTests.costlyCases + [HostileCheckpointTests.overflowing])
    func hostileCheckpointsTakeLittleTimeAndMemory(_ hostile: DamageTests.Case) throws {
        defer { cleanUp() }
        try Data(hostile.bytes).write(to: URL(filePath: input))
        let outcome = try shell("ulimit -t 2; ulimit -v 600000; \"$WEIGHTS\" import in.safetensors out.mirl")
        #expect(outcome.code == 2)
        #expect(outcome.error.contains(hostile.testDescription), "\(outcome.error)")
    }

    @Test func badInputExitsWith2AndLeavesNoFile() throws {
        defer { cleanUp() }
        try Data("no safetensors".utf8).write(to: URL(filePath: input))
        let outcome = try run("pack", input, output)
        #expect(outcome.code == 2)
        #expect(outcome.error.hasPrefix("mirl-weights: \(input): no safetensors file, or cut short: header length is"))
        #expect(!FileManager.default.fileExists(atPath: output))
        #expect(try run("pack", folder.path + "/absent", output).code == 2)
    }

    @Test func badWeightsExitWith3() throws {
        defer { cleanUp() }
        try Data(sample.dropLast()).write(to: URL(filePath: output))
        for command in ["info", "verify"] {
            let outcome = try run(command, output)
            #expect(outcome.code == 3 && outcome.out == "")
            #expect(outcome.error.hasPrefix("mirl-weights: \(output): file length in the header is"))
            #expect(try run(command, folder.path + "/absent").code == 3)
        }
    }

    @Test func aWrongCommandLineExitsWith64AndLosesNothing() throws {
        defer { cleanUp() }
        let before = try Data(contentsOf: URL(filePath: input))
        let wrong = [[], ["pack", input, input], ["pack", input, "-"], ["info", "-help"], ["verify", "--all", input]]
        for arguments in wrong {
            let outcome = try run(Self.program, arguments)
            #expect(outcome.code == 64 && outcome.out == "" && outcome.error.hasPrefix("mirl-weights: "))
        }
        #expect(try Data(contentsOf: URL(filePath: input)) == before)
        #expect(try run(Self.program, ["--help"], output: "/dev/full").code == 1)
        #expect(try run("--help").out.hasPrefix("OVERVIEW: "))
    }

    @Test func failedWritesExitWith1() throws {
        defer { cleanUp() }
        #expect(try run("pack", input, folder.path + "/absent/out.mirl").code == 1)
        #expect(try run("pack", input, "/dev/full").error == "mirl-weights: /dev/full: No space left on device\n")
        #expect(try run("pack", input, folder.path).error == "mirl-weights: \(folder.path): Is a directory\n")
        #expect(try run("pack", input, output).code == 0)
        let full = try run("info", output, output: "/dev/full")
        #expect(full.code == 1)
        #expect(full.error.hasPrefix("mirl-weights: standard output: "))
    }

    @Test func aLinkStaysALink() throws {
        defer { cleanUp() }
        let outcome = try shell(
            """
            touch real.mirl; ln -s real.mirl link.mirl
            "$WEIGHTS" pack in.safetensors link.mirl && test -L link.mirl
            """)
        #expect(outcome.code == 0 && outcome.error == "")
        #expect(try run("verify", folder.appending(path: "real.mirl").path).code == 0)
    }

    @Test func aReplacedFileKeepsItsPermissions() throws {
        defer { cleanUp() }
        let outcome = try shell(
            "touch out.mirl; chmod 604 out.mirl; \"$WEIGHTS\" pack in.safetensors out.mirl; stat -c %a out.mirl")
        #expect(outcome.out == "604\n")
    }

    @Test func aPipeIsWrittenInto() throws {
        defer { cleanUp() }
        #expect(try shell("\"$WEIGHTS\" pack in.safetensors /dev/stdout | cat > out.mirl").code == 0)
        #expect(try run("verify", output).code == 0)
    }

    /// The shell may write no byte to a file, so the first one ends the program: with a signal, and without.
    @Test func aWriteThatIsCutShortLeavesTheOldFileAndNothingElse() throws {
        defer { cleanUp() }
        try Data("old".utf8).write(to: URL(filePath: output))
        let killed = try shell("ulimit -f 0; env --default-signal=XFSZ \"$WEIGHTS\" pack in.safetensors out.mirl")
        #expect(killed.code == 128 + SIGXFSZ)
        #expect(try shell("ulimit -f 0; trap '' XFSZ; \"$WEIGHTS\" pack in.safetensors out.mirl").code == 1)
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(files.sorted() == ["in.safetensors", "out.mirl"])
        #expect(try Data(contentsOf: URL(filePath: output)) == Data("old".utf8))
    }

    @Test func wrongUsageExitsWith64() throws {
        defer { cleanUp() }
        #expect(try run("pack", input).code == 64)
        #expect(try run("pack", input, output, "--values", "int4").code == 64)
        #expect(try run("pack", input, output, "--prompts", "int4").code == 64)
        #expect(try run("paint").code == 64)
    }

    @Test func versionAndHelp() throws {
        defer { cleanUp() }
        let version = try run("--version")
        #expect(version.code == 0 && version.out == "mirl-weights 1.0.0\n")
        let help = try run("--help")
        #expect(help.code == 0 && help.out.contains("pack") && help.out.contains("verify"))
    }
}
