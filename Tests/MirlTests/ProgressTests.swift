// Whoever restores is asked now and then whether to go on, whatever its thread does or waits for.
import Foundation
import Mirl
import MirlTestSupport
import Synchronization
import Testing

@Suite struct ProgressTests {
    @Test func aPoolAsksWhileItWaits() throws {
        let pool = try ThreadPool(threads: 2), caller = pthread_self(), taken = Atomic(0)
        var questions = 0
        // Whichever item the caller's thread takes is done as soon as the other is taken.
        try pool.run(2, whileWaiting: { questions += 1 }) { _, thread in
            taken.add(1, ordering: .relaxed)
            while taken.load(ordering: .relaxed) < 2 { usleep(100) }
            if pthread_equal(caller, pthread_self()) == 0 { usleep(300_000) }
        }
        // Thirty on a machine that does nothing else.
        #expect(questions >= 3)
    }

    /// The longest time without a question, over the time that the restoration took.
    private func longestSilence(threads: Int, side: Int) throws -> Double {
        let session = try Session(try Model.builtIn(), threads: threads)
        let image = Planar(height: side, width: side, values: [Float](repeating: 0.5, count: 3 * side * side))
        let clock = ContinuousClock(), start = clock.now
        var last = start, longest = Duration.zero
        try image.withBuffer { buffer in
            try session.restore(buffer, into: buffer) { _ in
                longest = max(longest, clock.now - last)
                last = clock.now
                return true
            }
        }
        return longest / (clock.now - start)
    }

    /// With ten threads for at most sixteen bands of rows, the caller's may find no second one and wait through a whole
    /// band of another; one phase takes far less than a fifth of the time, and a hundred questions are asked in all.
    @Test func noPhaseGoesByUnasked() throws {
        #expect(try longestSilence(threads: 10, side: 400) < 0.2)
    }

    @Test func nothingIsComputedOnceCancelled() throws {
        let calls = Atomic(0)
        let session = try Session(
            try Model.builtIn(), threads: 1,
            runner: { count, work, data in
                calls.add(1, ordering: .relaxed)
                for i in 0..<count { work(data, i) }
                return 0
            })
        let image = Planar(height: 8, width: 8, values: [Float](repeating: 0.5, count: 192))
        #expect(throws: MirlError.cancelled) {
            try image.withBuffer { try session.restore($0, into: $0) { _ in false } }
        }
        #expect(calls.load(ordering: .relaxed) == 0)
    }
}
