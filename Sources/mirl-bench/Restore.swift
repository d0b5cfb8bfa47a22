import ArgumentParser
import Mirl

/// Times whole restorations.
struct Restore: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Time the restoration of pictures.",
        discussion: """
            The peak is the whole process's so far: give one size to learn what that size takes, from small to large if
            several. The estimate is what the engine says its scratch memory takes.
            """)

    @Argument(help: "The weight file.", completion: .file(extensions: ["mirl"])) var weights: String
    @Argument(help: "WIDTHxHEIGHT.") var sizes: [Size]
    @Option(help: "Threads to compute with.") var threads = 2
    @Option(help: "How exactly to compute.") var precision = Precision.fp32
    @Option(help: "Seconds to spend on each size; it is restored at least twice and once before.") var seconds = 2.0

    func validate() throws { try check(threads: threads) }

    func run() throws {
        let model = try Model.open(path: weights)
        let session = try Session(model, threads: threads, precision: precision)
        let table = Table("size", "threads", "best_ms", "median_ms", "runs", "us_per_px", "peak_mb", "estimate_mb")
        for size in sizes {
            let buffer = FloatPicture(size), image = buffer.buffer
            let result = FloatPicture(size)
            let time = try Timing(seconds: seconds, least: 2) { try session.restore(image, into: result.buffer) }
            let estimate = model.memoryEstimate(width: size.width, height: size.height, threads: threads) ?? 0
            table.row(
                size, threads, time.best * 1e3, time.median * 1e3, time.runs, time.best * 1e6 / Double(size.pixels),
                try processMemory("VmHWM"), Double(estimate) / 1e6)
            withExtendedLifetime((buffer, result)) {}
        }
    }
}

struct Open: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Time the opening of a weight file, all checks included, and a session for it.")

    @Argument(help: "The weight file.", completion: .file(extensions: ["mirl"])) var weights: String

    func run() throws {
        func open() throws { _ = try Session(try Model.open(path: weights), threads: 1) }
        let before = try processMemory("VmRSS")
        let first = now(), held = try Session(try Model.open(path: weights), threads: 1), time = now() - first
        let after = try processMemory("VmRSS")
        let again = try withExtendedLifetime(held) { try Timing(seconds: 1, least: 50, most: 50, open) }
        Table("file", "first_ms", "best_ms", "median_ms", "before_mb", "after_mb")
            .row(weights.split(separator: "/").last!, time * 1e3, again.best * 1e3, again.median * 1e3, before, after)
    }
}

extension Precision: ExpressibleByArgument {}
