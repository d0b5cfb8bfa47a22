import Glibc
import Synchronization

/// The host's parallel-for: calls `work(data, i)` for each i < `count`, in any order, on any threads, at the same time or
/// one after another, and returns when all calls have returned; anything but 0 if it could not.
public typealias HostRunner = (_ count: UInt32, _ work: HostWork, _ data: UnsafeMutableRawPointer) -> Int32

public typealias HostWork = @convention(c) (_ data: UnsafeMutableRawPointer?, _ index: UInt32) -> Void

/// Work on the threads of the host.
///
/// Each call that the host makes takes items until none is left, so that threads of unequal speed are all kept busy, and
/// a host that makes fewer calls than it should, or one after another, still gets everything done.
struct HostWorkers: Workers {
    let threads: Int
    let runner: HostRunner
    let arithmetic: HostArithmetic

    func run(
        _ count: Int, goOn: (Float) -> Bool, _ body: (_ item: Int, _ thread: Int) -> Void
    ) throws(MirlError) -> Bool {
        let (status, job) = withoutActuallyEscaping(goOn) { goOn in
            withoutActuallyEscaping(body) { body in
                let job = HostJob(count: count, threads: threads, goOn: goOn, body: body)
                let status = arithmetic.call {
                    runner(
                        UInt32(min(count, threads)), { data, _ in
                            Unmanaged<HostJob>.fromOpaque(data!).takeUnretainedValue().work()
                        }, Unmanaged.passUnretained(job).toOpaque())
                }
                return (status, job.close())
            }
        }
        guard status == 0 else { throw .system("the host's runner failed with status \(status)") }
        guard job.isCancelled || job.done == count else {
            throw .system("the host's runner returned with \(count - job.done) of \(count) parts of the work not done")
        }
        return !job.isCancelled && goOn(1)
    }
}

/// One parallel-for, as long as the host's runner runs.
private final class HostJob: @unchecked Sendable {
    private let count: Int
    private let threads: Int
    private let goOn: (Float) -> Bool
    private let body: (_ item: Int, _ thread: Int) -> Void
    private let caller = pthread_self()
    private let seats = Atomic(0)
    private let next = Atomic(0)
    private let done = Atomic(0)
    private let isCancelled = Atomic(false)

    init(
        count: Int, threads: Int, goOn: @escaping (Float) -> Bool, body: @escaping (_ item: Int, _ thread: Int) -> Void
    ) {
        self.count = count
        self.threads = threads
        self.goOn = goOn
        self.body = body
    }

    /// Works until no item is left. Calls beyond the number of threads find no seat, whatever their index.
    func work() {
        let seat = seats.wrappingAdd(1, ordering: .relaxed).oldValue
        guard seat < threads else { return }
        let arithmetic = HostArithmetic.enter()
        defer { arithmetic.leave() }
        let isCaller = pthread_equal(caller, pthread_self()) != 0
        while !isCancelled.load(ordering: .relaxed) {
            let item = next.wrappingAdd(1, ordering: .relaxed).oldValue
            guard item < count else { return }
            body(item, seat)
            done.wrappingAdd(1, ordering: .acquiringAndReleasing)
            if isCaller && !goOn(Float(item + 1) / Float(count)) { isCancelled.store(true, ordering: .relaxed) }
        }
    }

    /// What came of it, when the host's runner has returned.
    func close() -> (done: Int, isCancelled: Bool) {
        (done.load(ordering: .acquiring), isCancelled.load(ordering: .relaxed))
    }
}
