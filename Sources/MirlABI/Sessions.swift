// The functions of mirl_session.
import CMirl
import Mirl
import Synchronization

/// More threads than this are a mistake rather than a wish.
let largestThreadCount: UInt32 = 1024

/// What a mirl_session points to.
private final class SessionHandle {
    let session: Session
    /// Set while a restoration runs, so that a second one, from another thread or from within the progress
    /// callback, is refused instead of corrupting the first.
    let isBusy = Atomic(false)

    init(_ session: Session) { self.session = session }
}

@c @implementation
public func mirl_session_new(
    _ model: OpaquePointer?, _ options: UnsafePointer<mirl_session_options>?,
    _ session: UnsafeMutablePointer<OpaquePointer?>?, _ error: UnsafeMutablePointer<mirl_error>?
) -> mirl_status {
    reporting(to: error) { () throws(MirlError) in
        let model = object(try given(model, "model"), as: Model.self)
        let session = try given(session, "session")
        var threads: UInt32 = 0
        if let options { threads = try read(options, "options").threads }
        guard threads <= largestThreadCount else {
            throw .argument("options: \(threads) threads, at most \(largestThreadCount) are possible")
        }
        session.pointee = retained(SessionHandle(try Session(model, threads: Int(threads))))
    }
}

@c @implementation
public func mirl_session_free(_ session: OpaquePointer?) { release(session, as: SessionHandle.self) }

@c @implementation
public func mirl_restore(
    _ session: OpaquePointer?, _ input: UnsafePointer<mirl_image>?, _ output: UnsafePointer<mirl_image>?,
    _ options: UnsafePointer<mirl_restore_options>?, _ error: UnsafeMutablePointer<mirl_error>?
) -> mirl_status {
    reporting(to: error) { () throws(MirlError) in
        let handle = object(try given(session, "session"), as: SessionHandle.self)
        let source = try readImage(input, "input")
        let target = try readImage(output, "output")
        try checkPair(source, target)
        let wishes = try Wishes(options)
        guard !handle.isBusy.exchange(true, ordering: .acquiring) else {
            throw .argument("session: is already restoring an image")
        }
        defer { handle.isBusy.store(false, ordering: .releasing) }
        try handle.session.restore(
            source, into: target, task: wishes.task, strength: wishes.strength, progress: wishes.progress)
    }
}

/// mirl_restore_options, checked, with defaults where there are none.
private struct Wishes {
    var task = Task.auto
    var strength: Float = 1
    var progress: ((Float) -> Bool)?

    init(_ pointer: UnsafePointer<mirl_restore_options>?) throws(MirlError) {
        guard let pointer else { return }
        let options = try read(pointer, "options")
        guard let task = Task(options.task) else { throw .argument("options: unknown task \(options.task)") }
        guard (0...1).contains(options.strength) else {
            throw .argument("options: strength is \(options.strength), must be 0 to 1")
        }
        self.task = task
        strength = options.strength
        if let callback = options.progress {
            let userData = options.user_data
            progress = { callback(userData, $0) == 0 }
        }
    }
}

extension Task {
    fileprivate init?(_ task: mirl_task) {
        switch task {
        case MIRL_AUTO: self = .auto
        case MIRL_DENOISE: self = .denoise
        case MIRL_DERAIN: self = .derain
        case MIRL_DEHAZE: self = .dehaze
        default: return nil
        }
    }
}
