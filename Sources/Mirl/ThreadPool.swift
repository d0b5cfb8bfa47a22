import Glibc
import MirlKernels
import Synchronization

/// Threads that share out numbered work items; the caller's thread is one of them.
///
/// Made anew after a fork, since threads do not survive it.
package final class ThreadPool: Workers, @unchecked Sendable {
    /// The threads that work, the caller's included.
    private let threads: Int

    private typealias Work = (_ item: Int, _ thread: Int) -> Void

    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let wake = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private let done = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var workers: [pthread_t] = []
    /// `Forks.count` when the workers were started, and whether they all were.
    private var birth = 0
    private var isStarted = false

    /// Copies of `generation` and `running` to be watched without the mutex.
    private let generationSeen = Atomic(0)
    private let runningSeen = Atomic(0)

    // Guarded by the mutex.
    private var work: Work?
    private var count = 0
    private var next = 0
    private var running = 0
    private var generation = 0
    private var stopping = false

    package init(threads: Int) throws(MirlError) {
        self.threads = threads
        try start()
    }

    deinit {
        if isStarted, birth == Forks.count { stop() }
        mutex.deallocate()
        wake.deallocate()
        done.deallocate()
    }

    /// As many threads as the calling one may use processors.
    static var available: Int { max(1, Int(mirlk_processors())) }

    package func run(
        _ count: Int, whileWaiting: () -> Void, _ body: (_ item: Int, _ thread: Int) -> Void
    ) throws(MirlError) {
        if !isStarted || birth != Forks.count { try start() }
        withoutActuallyEscaping(body) { body in
            pthread_mutex_lock(mutex)
            defer { pthread_mutex_unlock(mutex) }
            work = body
            self.count = count
            next = 0
            running = workers.count
            runningSeen.store(running, ordering: .relaxed)
            generation += 1
            generationSeen.store(generation, ordering: .relaxed)
            pthread_cond_broadcast(wake)
            takeItems(body, thread: 0)
            pthread_mutex_unlock(mutex)
            watch { runningSeen.load(ordering: .relaxed) == 0 }
            pthread_mutex_lock(mutex)
            while running > 0 {
                guard waitsInVain(10_000_000) else { continue }
                pthread_mutex_unlock(mutex)
                whileWaiting()
                pthread_mutex_lock(mutex)
            }
            work = nil
        }
    }

    /// Works until no item is left; called and left with the mutex locked.
    private func takeItems(_ work: Work, thread: Int) {
        while next < count {
            let item = next
            next += 1
            pthread_mutex_unlock(mutex)
            work(item, thread)
            pthread_mutex_lock(mutex)
        }
    }

    /// Waits a little for what is likely to happen at once: the phases of a small image take as long as falling asleep
    /// and waking up.
    private func watch(_ happens: () -> Bool) {
        for _ in 0..<2000 {
            if happens() { return }
            mirlk_pause()
        }
    }

    /// Waits for `done` with the mutex locked; whether that takes longer than so many nanoseconds.
    private func waitsInVain(_ nanoseconds: Int) -> Bool {
        var end = timespec()
        clock_gettime(CLOCK_MONOTONIC, &end)
        let sum = end.tv_nsec + nanoseconds
        end.tv_sec += sum / 1_000_000_000
        end.tv_nsec = sum % 1_000_000_000
        return pthread_cond_timedwait(done, mutex, &end) == ETIMEDOUT
    }

    private func serve(thread: Int) {
        _ = mirlk_enter_arithmetic()
        var served = 0
        pthread_mutex_lock(mutex)
        while true {
            pthread_mutex_unlock(mutex)
            watch { generationSeen.load(ordering: .relaxed) != served }
            pthread_mutex_lock(mutex)
            while generation == served && !stopping { pthread_cond_wait(wake, mutex) }
            if stopping { break }
            served = generation
            if let work { takeItems(work, thread: thread) }
            running -= 1
            runningSeen.store(running, ordering: .relaxed)
            if running == 0 { pthread_cond_signal(done) }
        }
        pthread_mutex_unlock(mutex)
    }

    /// Starts the workers, whatever a fork or a failure has left behind; on an error there are none.
    private func start() throws(MirlError) {
        if let failure = Forks.failure { throw .system("watching for forks: \(failure)") }
        (birth, isStarted) = (Forks.count, false)
        (generation, running, stopping) = (0, 0, false)
        generationSeen.store(0, ordering: .relaxed)
        workers = []
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(wake, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(done, &attributes)
        pthread_condattr_destroy(&attributes)
        // The host's signal handlers run on the host's threads.
        var all = sigset_t(), previous = sigset_t()
        sigfillset(&all)
        // But a thread's own faults are told to handlers only where they are not blocked.
        for fault in [SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS] { sigdelset(&all, fault) }
        pthread_sigmask(SIG_SETMASK, &all, &previous)
        defer { pthread_sigmask(SIG_SETMASK, &previous, nil) }
        for thread in 1..<max(threads, 1) {
            let seat = Unmanaged.passRetained(Seat(pool: .passUnretained(self), thread: thread))
            var id = pthread_t()
            let status = pthread_create(&id, nil, { seat in
                let seat = Unmanaged<Seat>.fromOpaque(seat!).takeRetainedValue()
                seat.pool._withUnsafeGuaranteedRef { $0.serve(thread: seat.thread) }
                return nil
            }, seat.toOpaque())
            guard status == 0 else {
                seat.release()
                stop()
                throw .system("thread \(thread + 1) of \(threads): \(String(cString: strerror(status)))")
            }
            workers.append(id)
        }
        isStarted = true
    }

    private func stop() {
        pthread_mutex_lock(mutex)
        stopping = true
        generationSeen.store(-1, ordering: .relaxed)
        pthread_cond_broadcast(wake)
        pthread_mutex_unlock(mutex)
        for worker in workers { pthread_join(worker, nil) }
        workers = []
        pthread_mutex_destroy(mutex)
        pthread_cond_destroy(wake)
        pthread_cond_destroy(done)
    }

    /// A worker's place. The pool outlives it, because `stop` joins every worker; a worker that held a reference would
    /// keep the pool, and with it all workers, alive for ever.
    private final class Seat {
        let pool: Unmanaged<ThreadPool>
        let thread: Int

        init(pool: Unmanaged<ThreadPool>, thread: Int) {
            self.pool = pool
            self.thread = thread
        }
    }
}
