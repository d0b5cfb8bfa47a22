// The functions of mirl_session.
import CMirl
import Mirl
import Synchronization

/// What a mirl_session points to.
private final class SessionHandle {
    let memoryLimit: Int?
    private let session: Session
    private let isBusy = Atomic(false)
    private let lastSight = Mutex(Session.Sight?.none)

    init(_ model: Model, _ options: mirl_session_options) throws(MirlError) {
        guard let precision = Precision(options.precision) else {
            throw .argument("options: unknown precision \(options.precision)")
        }
        guard options.reserved == 0 else {
            throw .argument("options: sets a field that this version of mirl does not know")
        }
        session = try Session(
            model, threads: Int(options.threads), kernels: options.kernels.map { String(cString: $0) },
            runner: hostRunner(options), allocator: Allocator(options), precision: precision)
        memoryLimit = options.memory_limit == 0 ? nil : Int(clamping: options.memory_limit)
    }

    /// What was seen last; nil while the session is at work. May be called at any time.
    var sight: Session.Sight? { isBusy.load(ordering: .acquiring) ? nil : lastSight.withLock { $0 } }

    /// Calls `body` with the session, unless it restores an image: a second use meanwhile, from another thread or from
    /// within a callback, must be refused instead of corrupting the first.
    func use(_ body: (Session) throws(MirlError) -> Void) throws(MirlError) {
        guard !isBusy.exchange(true, ordering: .acquiring) else {
            throw .argument("session: is already restoring an image")
        }
        defer { isBusy.store(false, ordering: .releasing) }
        try body(session)
        let seen = session.seen
        lastSight.withLock { $0 = seen }
    }
}

@c @implementation
public func mirl_session_new(
    _ model: OpaquePointer?, _ options: UnsafePointer<mirl_session_options>?,
    _ session: UnsafeMutablePointer<OpaquePointer?>?, _ error: UnsafeMutablePointer<mirl_error>?
) -> mirl_status {
    reporting(to: error) { () throws(MirlError) in
        let model = object(try given(model, "model"), as: Model.self)
        let session = try given(session, "session")
        var wishes = mirl_session_options()
        if let options { wishes = try read(options, "options") }
        session.pointee = retained(try SessionHandle(model, wishes))
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
        let wishes = try RestoreWishes(options)
        try handle.use { session throws(MirlError) in
            try session.restore(
                source, into: target, task: wishes.task, strength: wishes.strength, memoryLimit: handle.memoryLimit,
                progress: wishes.progress)
        }
    }
}

@c @implementation
public func mirl_session_seen(_ session: OpaquePointer?, _ confidence: UnsafeMutablePointer<Float>?) -> mirl_task {
    confidence?.pointee = 0
    guard let session else { return MIRL_AUTO }
    guard let sight = object(session, as: SessionHandle.self).sight else { return MIRL_AUTO }
    confidence?.pointee = sight.confidence
    return sight.task.number
}

extension Precision {
    fileprivate init?(_ number: mirl_precision) {
        switch Int32(bitPattern: number) {
        case MIRL_FP32: self = .fp32
        case MIRL_BF16: self = .bf16
        default: return nil
        }
    }
}

private func hostRunner(_ options: mirl_session_options) -> HostRunner? {
    options.runner.map { runner in
        let data = options.runner_data
        return { count, work, workData in runner(data, work, workData, count) }
    }
}

extension Allocator {
    fileprivate init?(_ options: mirl_session_options) throws(MirlError) {
        guard (options.allocate == nil) == (options.deallocate == nil) else {
            throw .argument("options: allocate and deallocate must be given both or not at all")
        }
        guard let allocate = options.allocate, let deallocate = options.deallocate else { return nil }
        let data = options.allocator_data
        self.init(allocate: { allocate(data, $0, $1) }, deallocate: { deallocate(data, $0, $1, $2) })
    }
}

/// mirl_restore_options, with defaults where there are none.
private struct RestoreWishes {
    var task = Task.auto
    var strength: Float = 1
    var progress: ((Float) -> Bool)?

    init(_ pointer: UnsafePointer<mirl_restore_options>?) throws(MirlError) {
        guard let pointer else { return }
        let options = try read(pointer, "options")
        guard let task = Task(options.task) else { throw .argument("options: unknown task \(options.task)") }
        self.task = task
        strength = options.strength
        if let callback = options.progress {
            let userData = options.user_data
            progress = { callback(userData, $0) == 0 }
        }
    }
}
