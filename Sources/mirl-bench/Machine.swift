import ArgumentParser
import Glibc
import Mirl
import MirlMachine

/// The peaks of the machine.
struct Machine: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure the peak of fp32 multiply-adds for each vector width, and the memory's bandwidth.")

    @Option(help: "Threads that work at the same time, besides one alone.") var threads = 2

    func validate() throws { try check(threads: threads) }

    func run() throws {
        let table = Table("what", "threads", "value", "unit")
        for lanes in vectorWidths {
            for count in Set([1, threads]).sorted() {
                table.row("fma_\(32 * lanes)_bit", count, try peak(lanes: lanes, threads: count) / 1e9, "GFLOP/s")
            }
        }
        for count in Set([1, threads]).sorted() {
            let (read, copy) = try bandwidths(threads: count)
            table.row("memory_read", count, read / 1e9, "GB/s")
            table.row("memory_copy", count, copy / 1e9, "GB/s")
        }
    }
}

/// Floats in the vectors that the machine multiplies and adds at once, widest first.
var vectorWidths: [Int] {
    let lanes = mirlm_lanes()!
    return (0...).lazy.map { Int(lanes[$0]) }.prefix { $0 > 0 }.map { $0 }
}

/// Floating-point operations a second, all threads together: the best of some samples.
func peak(lanes: Int, threads: Int = 1) throws -> Double {
    let rounds = 1_000_000
    let operations = Double(threads) * mirlm_multiply_add(Int32(lanes), 1)
    let time = try Timing(seconds: 0.5) {
        try together(threads) { _ in _ = mirlm_multiply_add(Int32(lanes), rounds) }
    }
    return operations * Double(rounds) / time.best
}

/// Bytes a second read, and read and written, all threads together.
private func bandwidths(threads: Int) throws -> (read: Double, copy: Double) {
    let bytes = 1 << 28  // more than any cache
    let memory = (0..<2 * threads).map { i in
        let block = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
        memset(block, 0, bytes)
        return block
    }
    defer { for block in memory { block.deallocate() } }
    let addresses = memory.map { Int(bitPattern: $0) }
    let read = try Timing(seconds: 0.5) {
        try together(threads) { i in
            let block = UnsafeRawPointer(bitPattern: addresses[i])!
            withExtendedLifetime(mirlm_read(block.assumingMemoryBound(to: Float.self), bytes / 4)) {}
        }
    }
    let copy = try Timing(seconds: 0.5) {
        try together(threads) { i in
            let target = UnsafeMutableRawPointer(bitPattern: addresses[threads + i])!
            memcpy(target, UnsafeRawPointer(bitPattern: addresses[i])!, bytes)
        }
    }
    return (Double(threads * bytes) / read.best, Double(2 * threads * bytes) / copy.best)
}

/// Refuses numbers of threads that no session could have.
func check(threads: Int) throws {
    guard (1...Session.mostThreads).contains(threads) else {
        throw ValidationError("\(threads) threads: expected 1 to \(Session.mostThreads)")
    }
}

/// Calls `body` on so many threads at once, with the thread's number, and waits for all.
private func together(_ threads: Int, _ body: @escaping @Sendable (Int) -> Void) throws {
    final class Work { let run: () -> Void; init(_ run: @escaping () -> Void) { self.run = run } }
    var others: [pthread_t] = []
    defer { for thread in others { pthread_join(thread, nil) } }
    for i in 1..<max(threads, 1) {
        var thread = pthread_t()
        let work = Unmanaged.passRetained(Work { body(i) })
        let status = pthread_create(&thread, nil, { argument in
            Unmanaged<Work>.fromOpaque(argument!).takeRetainedValue().run()
            return nil
        }, work.toOpaque())
        guard status == 0 else {
            work.release()
            throw ValidationError("thread \(i + 1) of \(threads): \(String(cString: strerror(status)))")
        }
        others.append(thread)
    }
    body(0)
}
