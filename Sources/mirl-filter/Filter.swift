import ArgumentParser
import CMirl
import Mirl

/// The command line, and what it leads to.
struct Filter: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mirl-filter",
        abstract: "Removes rain, haze or noise from images.",
        usage: """
            mirl-filter [options] [file] [-o file]
            mirl-filter [options] --outdir folder file ...
            mirl-filter [options] --y4m [file] [-o file]
            """,
        discussion: """
            Reads a JPEG, PNG, WebP, TIFF, PNM, GIF, HEIC or AVIF image from the file or else from standard \
            input, and writes it restored to standard output, as PNG unless told otherwise.
            """,
        version: "mirl-filter \(MIRL_VERSION_MAJOR).\(MIRL_VERSION_MINOR).\(MIRL_VERSION_PATCH)")

    @Argument(help: "The image; - or none means standard input.", completion: .file())
    var files: [String] = []

    @Option(help: "What to remove; auto lets the network see for itself.")
    var task = Task.auto

    @Option(
        help: ArgumentHelp("The network's weights, instead of those built in.", valueName: "file"),
        completion: .file(extensions: ["mirl"]))
    var weights: String?

    @Option(help: ArgumentHelp("How much to restore, from 0, the image as it was, to 1.", valueName: "0..1"))
    var strength: Float = 1

    @Option(
        name: .shortAndLong, help: ArgumentHelp("Write to this file, whole or not at all.", valueName: "file"),
        completion: .file())
    var output: String?

    @Option(
        help: ArgumentHelp("Write every file to this folder, under its own name.", valueName: "folder"),
        completion: .directory)
    var outdir: String?

    @Option(help: "The format to write; by default what the output's suffix says, with --outdir the input's, else png.")
    var format: FileFormat?

    @Option(help: ArgumentHelp("The quality of JPEG and WebP, from 1 to 100; 95 by default.", valueName: "1..100"))
    var quality: Int?

    @Flag(help: "Leave out EXIF, XMP and IPTC.")
    var strip = false

    @Flag(help: "Write the image as it was and as it is now, side by side.")
    var compare = false

    @Flag(help: "Restore a YUV4MPEG2 video stream, frame by frame.")
    var y4m = false

    @Option(help: ArgumentHelp("How many threads to use; 0 means as many as the process may use.", valueName: "n"))
    var threads = 0

    @Option(help: ArgumentHelp("Give up on an image that takes longer.", valueName: "seconds"))
    var timeout: Double?

    @Option(
        help: ArgumentHelp("Restore in tiles what would take more memory, such as 800M or 2G.", valueName: "size"),
        transform: MemorySize.init)
    var memory: MemorySize?

    @Option(
        help: ArgumentHelp("How exactly to compute; bf16 is faster on some processors.", valueName: "type"))
    var precision = Precision.fp32

    @Option(help: ArgumentHelp("Refuse images of more pixels.", valueName: "n"))
    var limitPixels: UInt64 = 100_000_000

    @Flag(name: .shortAndLong, help: "Show no progress.")
    var quiet = false

    @Flag(name: .shortAndLong, help: "Tell what the image is, what auto saw in it, and the times taken.")
    var verbose = false

    func validate() throws {
        try require((0...1).contains(strength), "--strength must be from 0 to 1, not \(strength).")
        let mostThreads = Session.mostThreads
        try require((0...mostThreads).contains(threads), "--threads must be from 0 to \(mostThreads), not \(threads).")
        try require(limitPixels > 0, "--limit-pixels must be at least 1.")
        try require(
            timeout.map { $0 > 0 && $0 < 1e9 } ?? true, "--timeout must be a number of seconds above 0, below 1e9.")
        try require(quality.map { (1...100).contains($0) } ?? true, "--quality must be from 1 to 100.")
        for (option, name) in [("--weights", weights), ("--output", output), ("--outdir", outdir)] {
            try require(name != "", "\(option) must not be empty.")
        }
        if y4m {
            let isPlain = format == nil && quality == nil && !strip
            try require(isPlain, "--y4m goes without --format, --quality and --strip.")
        }
    }

    /// After the parser has looked at everything, as the value of an option that it does not know looks like a file.
    private func checkFiles() throws(Failure) {
        func require(_ condition: Bool, _ message: String) throws(Failure) {
            if !condition { throw Failure(.usage, message) }
        }
        if outdir == nil {
            try require(files.count <= 1, "several files need a folder to be written to: --outdir")
        } else {
            try require(output == nil, "--outdir goes without --output")
            try require(!files.isEmpty, "--outdir needs files")
            try require(!files.contains("-"), "--outdir goes without standard input, which has no name")
        }
    }

    private func require(_ condition: Bool, _ message: String) throws {
        if !condition { throw ValidationError(message) }
    }

    func restore() throws(Failure) {
        let destination = Destination(output)
        destination.abandonWhenKilled()
        do throws(Failure) { try restoreFiles() } catch {
            destination.abandon()
            throw error
        }
    }

    private func restoreFiles() throws(Failure) {
        try checkFiles()
        let jobs = try jobs()
        if let quality, !jobs.contains(where: { $0.format?.hasQuality ?? false }) {
            throw Failure(.usage, "--quality \(quality): only JPEG and WebP have a quality; choose one with --format")
        }
        let restorer = try Restorer(self)
        if outdir == nil { return try restorer.restore(jobs[0]) }
        try restoreAll(jobs, with: restorer)
    }

    /// Goes on after a failure; the worst decides what the run comes to.
    private func restoreAll(_ jobs: [Job], with restorer: Restorer) throws(Failure) {
        var failures: [Failure] = []
        for job in jobs {
            do throws(Failure) { try restorer.restore(job) } catch {
                error.tell()
                failures.append(error)
            }
        }
        guard let worst = failures.map(\.kind.rawValue).min() else { return }
        throw Failure(.init(rawValue: worst)!, "\(failures.count) of \(jobs.count) files failed")
    }
}

extension Precision: ExpressibleByArgument {}
extension Task: ExpressibleByArgument {}
