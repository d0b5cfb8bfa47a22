import Glibc
import Mirl

/// An open network with the options of the run; restores one job after another.
final class Restorer {
    let options: Filter
    let session: Session
    let deadline: Deadline
    private let isBarShown: Bool
    /// What images of the last size take at least, as frames of a video have but one.
    private var least: (width: Int, height: Int, bytes: Int)?

    /// Opens the weights.
    init(_ options: Filter) throws(Failure) {
        self.options = options
        do throws(MirlError) {
            let model = if let path = options.weights { try Model.open(path: path) } else { try Model.builtIn() }
            session = try Session(model, threads: options.threads, precision: options.precision)
        } catch {
            throw Failure(opening: error)
        }
        deadline = Deadline(options.timeout)
        isBarShown = !options.quiet && isatty(STDERR_FILENO) != 0
    }

    func restore(_ job: Job) throws(Failure) {
        defer { deadline.stop() }
        if options.y4m { try restoreVideo(job) } else { try restoreImages(job) }
    }

    /// Restores samples that messages call `place`; before and after it as many bytes are held as `held` says. `label`
    /// goes before the progress bar.
    func restore(
        _ input: ImageBuffer, into output: ImageBuffer, place: String, held: Int, label: String
    ) throws(Failure) {
        let memoryLimit = try memoryLeft(width: input.width, height: input.height, held: held, place)
        var bar = ProgressBar(label: label)
        defer { bar.clear() }
        do throws(MirlError) {
            try deadline.watched { () throws(MirlError) in
                try session.restore(
                    input, into: output, task: options.task, strength: options.strength, memoryLimit: memoryLimit
                ) { [isBarShown, deadline] done in
                    if isBarShown { bar.show(done) }
                    return !deadline.isPast
                }
            }
        } catch {
            if case .cancelled = error { throw deadline.failure(place) }
            throw Failure(restoring: error, place)
        }
        if deadline.isPast { throw deadline.failure(place) }
    }

    /// What is left of --memory for the restoration of an image beside so many bytes that are held for it.
    func memoryLeft(width: Int, height: Int, held: Int, _ place: String) throws(Failure) -> Int? {
        guard let limit = options.memory else { return nil }
        let rest = held + (32 << 20)  // the program and the weights
        let least = rest + leastMemory(width: width, height: height)
        guard least <= limit.bytes else {
            let pixels = "\(width)x\(height) pixels", megabytes = (least + (1 << 20) - 1) >> 20
            throw Failure(.run, "\(place): \(pixels) take at least \(megabytes)M, more than --memory \(limit.text)")
        }
        return limit.bytes - rest
    }

    private func leastMemory(width: Int, height: Int) -> Int {
        if let least, least.width == width, least.height == height { return least.bytes }
        let bytes = session.leastMemory(width: width, height: height, task: options.task)
        least = (width, height, bytes)
        return bytes
    }

    /// What the network judged the last image to be, and what `auto`, the task, made of that.
    var sight: String {
        guard let seen = session.seen else { return "the weights do not tell what the network sees" }
        let what = seen.task == .auto ? "nothing to remove" : seen.task.rawValue
        let sight = "the network saw \(what), \(Int(seen.confidence * 100)) of 100"
        let (task, strength) = session.done
        guard task != .auto else { return sight }
        if strength * options.strength == 0 { return "\(sight): took nothing" }
        let share = strength < 1 ? ", \(Int(strength * 100)) of 100" : ""
        return "\(sight): took the weights for \(task.rawValue)\(share)"
    }
}
