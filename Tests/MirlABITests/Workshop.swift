// Compiles C programs against the libmirl.so of this build and runs them.
import Foundation

struct Outcome {
    var status: Int32
    var output: Data
    var errors: String

    var text: String { String(decoding: output, as: UTF8.self) }
}

struct Program {
    let file: URL

    func run(_ arguments: [String] = []) throws -> Outcome { try Workshop.run(file.path, arguments) }
}

struct Failure: Error, CustomStringConvertible {
    var description: String
}

enum Workshop {
    static let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../..")
        .standardized
    /// Test executables lie beside what they test.
    static let build = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
    static let library = build.appending(path: "libmirl.so")
    static let folder = build.appending(path: "c-programs")

    static let host = Result {
        let names = [
            "main", "images", "layout", "features", "arguments", "statuses", "progress", "threads", "runner",
            "allocator", "fork", "surroundings", "environment", "opening",
        ]
        return try compile(names.map { "Tests/CHost/\($0).c" }, to: "host", flags: ["-std=c17", "-Werror"] + linking)
    }
    static let wrapper = Result {
        try compile(
            ["Tests/CHost/wrapper.cpp"], to: "wrapper", compiler: "c++",
            flags: ["-std=c++17", "-pedantic", "-Werror"] + linking)
    }
    static let loader = Result {
        try compile(["Tests/CHost/loader.c"], to: "loader", flags: ["-std=gnu17", "-Werror", "-ldl"])
    }
    static let example = Result {
        try compile(["examples/c/restore.c"], to: "restore", flags: ["-std=c17", "-Werror"] + linking)
    }
    static let latency = Result {
        try compile(["Tests/CHost/latency.c"], to: "latency", flags: ["-std=gnu17", "-Werror"] + linking)
    }

    /// The paper's network with random weights, which takes longer than the built-in one.
    static let fullWeights = Result {
        let file = folder.appending(path: "full.mirl").path
        let outcome = try run(build.appending(path: "mirl-bench").path, ["random-weights", file])
        guard outcome.status == 0 else { throw Failure(description: outcome.errors) }
        return file
    }

    /// A program of one file in C, or in C++ if it asks for mirl.hpp, compiled and ready to run.
    static func program(_ name: String, source: String, flags: [String]) throws -> Program {
        let isCxx = source.contains("mirl.hpp")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let file = folder.appending(path: name + (isCxx ? ".cpp" : ".c"))
        try Data(source.utf8).write(to: file)
        return try Program(
            file: compile(
                [file.path], to: name, compiler: isCxx ? "c++" : "cc",
                flags: [isCxx ? "-std=c++17" : "-std=c17", "-Werror"] + flags + linking))
    }

    /// As `pkg-config --libs mirl` says it, for a library that is not installed.
    private static let linking = ["-L\(build.path)", "-lmirl", "-Wl,-rpath,\(folder.path)", "-pthread", "-lm"]

    private static func compile(
        _ files: [String], to name: String, compiler: String = "cc", flags: [String]
    ) throws -> URL {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let soname = folder.appending(path: "libmirl.so.1").path
        if (try? FileManager.default.destinationOfSymbolicLink(atPath: soname)) == nil {
            try? FileManager.default.createSymbolicLink(atPath: soname, withDestinationPath: library.path)
        }
        let program = folder.appending(path: name)
        let outcome = try run(
            compiler,
            ["-O1", "-g", "-Wall", "-Wextra", "-I", sources.appending(path: "include").path, "-o", program.path]
                + files + flags)
        guard outcome.status == 0 else { throw Failure(description: outcome.errors) }
        return program
    }

    /// No command takes longer unless it hangs, not even on a machine with much else to do.
    private static let limit = 300.0

    /// Runs a command in the sources, found on the path unless it is one, with files for its streams, so that none can
    /// block. One that hangs is killed.
    static func run(_ command: String, _ arguments: [String], input: Data = Data()) throws -> Outcome {
        let streams = ["in", "out", "err"].map { folder.appending(path: "\(UUID().uuidString).\($0)") }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { for stream in streams { try? FileManager.default.removeItem(at: stream) } }
        try input.write(to: streams[0])
        for stream in streams[1...] { try Data().write(to: stream) }

        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [command] + arguments
        process.currentDirectoryURL = sources
        process.standardInput = try FileHandle(forReadingFrom: streams[0])
        process.standardOutput = try FileHandle(forWritingTo: streams[1])
        process.standardError = try FileHandle(forWritingTo: streams[2])
        try process.run()
        let watch = DispatchWorkItem { [pid = process.processIdentifier] in kill(pid, SIGKILL) }
        DispatchQueue.global().asyncAfter(deadline: .now() + limit, execute: watch)
        process.waitUntilExit()
        watch.cancel()
        let status = process.terminationStatus + (process.terminationReason == .uncaughtSignal ? 128 : 0)
        return Outcome(
            status: status, output: try Data(contentsOf: streams[1]),
            errors: String(decoding: try Data(contentsOf: streams[2]), as: UTF8.self))
    }
}
