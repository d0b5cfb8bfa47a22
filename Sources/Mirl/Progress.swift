import Glibc
import Synchronization

/// Tells the host how far the restoration of an image is, on the caller's thread, and learns whether to go on.
final class Progress {
    private let host: ((Float) -> Bool)?
    private let caller = pthread_self()
    private let isCancelled = Atomic(false)

    /// The cost of all phases in multiply-adds; infinite until it is known.
    private var total = Double.infinity
    // Of that, the finished phases, and the phase under way.
    private var finished = 0.0
    private var phase = (cost: 0.0, items: 1.0)
    private let itemsDone = Atomic(0)
    private var told: Float = 0
    private var lastAsked = -Double.infinity

    /// `host` gets the share done, 0...1, never falling, 1 once and at last, and cancels by saying no.
    init(tell host: ((Float) -> Bool)?) { self.host = host }

    /// Says what the phases to come will cost.
    func expect(_ cost: Double) { total = finished + cost }

    func begin(_ items: Int, cost: Double) {
        phase = (cost, Double(items))
        itemsDone.store(0, ordering: .relaxed)
    }

    /// To be called on any thread.
    func itemIsDone() { itemsDone.wrappingAdd(1, ordering: .relaxed) }

    func end() throws(MirlError) {
        finished += phase.cost
        phase = (0, 1)
        ask(finished / total)
        try check()
    }

    /// Tells that all is done, which can still be cancelled.
    func finish() throws(MirlError) {
        tell(1)
        if isCancelled.load(ordering: .relaxed) { throw .cancelled }
    }

    /// Whether the work is still wanted. On the caller's thread this asks the host, though not for every question.
    func goesOn() -> Bool {
        if host != nil, pthread_equal(caller, pthread_self()) != 0, seconds() - lastAsked > 0.01 {
            let part = phase.cost * Double(itemsDone.load(ordering: .relaxed)) / phase.items
            ask((finished + part) / total)
        }
        return !isCancelled.load(ordering: .relaxed)
    }

    func check() throws(MirlError) {
        if !goesOn() { throw .cancelled }
    }

    private func ask(_ done: Double) { tell(min(Float(1).nextDown, Float(done))) }

    private func tell(_ done: Float) {
        guard let host, !isCancelled.load(ordering: .relaxed) else { return }
        told = max(told, done)
        if !host(told) { isCancelled.store(true, ordering: .relaxed) }
        lastAsked = seconds()
    }

    private func seconds() -> Double {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
    }
}
