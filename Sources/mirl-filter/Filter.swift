import ArgumentParser
import CMirl
import Glibc
import Mirl

/// The command line, and the way of a picture through the filter.
struct Filter: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mirl-filter",
        abstract: "Removes rain, haze or noise from an image.",
        usage: "mirl-filter [options] [file] [-o file]",
        discussion: """
            Reads a JPEG, PNG, WebP, TIFF, PNM, GIF, HEIC or AVIF image from the file or else from standard \
            input, and writes it restored to standard output, as PNG unless told otherwise.
            """,
        version: "mirl-filter \(MIRL_VERSION_MAJOR).\(MIRL_VERSION_MINOR).\(MIRL_VERSION_PATCH)")

    @Argument(help: "The image; - or none means standard input.")
    var file: String?

    @Option(help: "What to remove; auto lets the network see for itself.")
    var task = Task.auto

    @Option(help: ArgumentHelp("The network's weights, instead of those built in.", valueName: "file"))
    var weights: String?

    @Option(help: ArgumentHelp("How much to restore, from 0, the image as it was, to 1.", valueName: "0..1"))
    var strength: Float = 1

    @Option(name: .shortAndLong, help: ArgumentHelp("Write to this file, whole or not at all.", valueName: "file"))
    var output: String?

    @Option(help: "The format to write; by default what the output file's suffix says, or png.")
    var format: FileFormat?

    @Option(help: ArgumentHelp("How many threads to use; 0 means all processors.", valueName: "n"))
    var threads = 0

    @Option(help: ArgumentHelp("Refuse images of more pixels.", valueName: "n"))
    var limitPixels: UInt64 = 100_000_000

    @Flag(name: .shortAndLong, help: "Show no progress.")
    var quiet = false

    @Flag(name: .shortAndLong, help: "Tell what the image is, what the network saw in it, and the times taken.")
    var verbose = false

    func validate() throws {
        guard (0...1).contains(strength) else { throw ValidationError("--strength must be from 0 to 1, not \(strength).") }
        guard (0...1024).contains(threads) else { throw ValidationError("--threads must be from 0 to 1024, not \(threads).") }
        guard limitPixels > 0 else { throw ValidationError("--limit-pixels must be at least 1.") }
    }

    func restore() throws(Failure) {
        let source = Source(file)
        let destination = Destination(output)
        try source.check()
        try destination.check()
        let format = try outputFormat()

        var report = Report(isShown: verbose)
        let session = try openSession()
        report.finished("opened the weights")
        let picture = try Picture(decoding: source.read(), limit: limitPixels, place: source.name)
        report.finished("decoded")
        report.tell("\(source.name): \(picture.description)")
        try restore(picture, with: session)
        report.finished("restored")
        report.tell(sight(of: session))
        try destination.write(picture.encoded(as: format))
        report.finished("written")
        report.tellTimes()
    }

    private func outputFormat() throws(Failure) -> FileFormat {
        if let format { return format }
        guard let output else { return .png }
        guard let format = FileFormat(suffixOf: output) else {
            let known = FileFormat.allCases.map(\.rawValue).joined(separator: ", ")
            throw Failure(.usage, "\(output): the suffix is of no format that can be written; choose one with --format: \(known)")
        }
        return format
    }

    private func openSession() throws(Failure) -> Session {
        do throws(MirlError) {
            let model = if let weights { try Model.open(path: weights) } else { try Model.builtIn() }
            return try Session(model, threads: threads)
        } catch {
            throw Failure(opening: error)
        }
    }

    private func restore(_ picture: borrowing Picture, with session: Session) throws(Failure) {
        var bar = ProgressBar()
        let isBarShown = !quiet && isatty(STDERR_FILENO) != 0
        defer { bar.clear() }
        do throws(MirlError) {
            try session.restore(picture.buffer, into: picture.buffer, task: task, strength: strength) { done in
                if isBarShown { bar.show(done) }
                return true
            }
        } catch {
            throw Failure(restoring: error)
        }
    }

    private func sight(of session: Session) -> String {
        guard let seen = session.seen else { return "the weights do not tell what the network sees" }
        return "the network saw \(seen.task.rawValue), \(Int(seen.confidence * 100)) of 100"
    }
}

extension Task: ExpressibleByArgument {}
