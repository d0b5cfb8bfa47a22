import Synchronization

/// The host's parallel-for: calls `work(data, i)` for each i < `count`, in any order, on any threads, at the same time
/// or one after another, and returns when all calls have returned; anything but 0 if it could not.
public typealias HostRunner = (_ count: UInt32, _ work: HostWork, _ data: UnsafeMutableRawPointer) -> Int32

public typealias HostWork = @convention(c) (_ data: UnsafeMutableRawPointer?, _ index: UInt32) -> Void

/// Work on the threads of the host.
///
/// Each call that the host makes takes items until none is left, so that threads of unequal speed are all kept busy,
/// and a host that makes fewer calls than it should, or one after another, still gets everything done.
struct HostWorkers: Workers {
    let threads: Int
    let runner: HostRunner
    let arithmetic: HostArithmetic

    /// The host waits for its threads in its own way.
    func run(
        _ count: Int, whileWaiting: () -> Void, _ body: (_ item: Int, _ thread: Int) -> Void
    ) throws(MirlError) {
        let (status, done) = withoutActuallyEscaping(body) { body in
            let job = HostJob(count: count, threads: threads, body: body)
            let status = arithmetic.call {
                runner(
                    UInt32(min(count, threads)), { data, _ in
                        Unmanaged<HostJob>.fromOpaque(data!).takeUnretainedValue().work()
                    }, Unmanaged.passUnretained(job).toOpaque())
            }
            return (status, job.done)
        }
        guard status == 0 else { throw .system("the host's runner failed with status \(status)") }
        guard done == count else {
            throw .system("the host's runner returned with \(count - done) of \(count) parts of the work not done")
        }
    }
}

/// One parallel-for, as long as the host's runner runs.
private final class HostJob: @unchecked Sendable {
    private let count: Int
    private let threads: Int
    private let body: (_ item: Int, _ thread: Int) -> Void
    private let seats = Atomic(0)
    private let next = Atomic(0)
    private let finished = Atomic(0)

    init(count: Int, threads: Int, body: @escaping (_ item: Int, _ thread: Int) -> Void) {
        self.count = count
        self.threads = threads
        self.body = body
    }

    /// Works until no item is left. Calls beyond the number of threads find no seat, whatever their index.
    func work() {
        let seat = seats.wrappingAdd(1, ordering: .relaxed).oldValue
        guard seat < threads else { return }
        let arithmetic = HostArithmetic.enter()
        defer { arithmetic.leave() }
        while true {
            let item = next.wrappingAdd(1, ordering: .relaxed).oldValue
            guard item < count else { return }
            body(item, seat)
            finished.wrappingAdd(1, ordering: .acquiringAndReleasing)
        }
    }

    /// The items that are done, once the host's runner has returned.
    var done: Int { finished.load(ordering: .acquiring) }
}
