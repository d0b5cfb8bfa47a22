// The built-in weights have a network for every task, and for some tasks another that does just that.
import Mirl
import MirlTestSupport
import Testing

@Suite struct BuiltInTests {
    static let tasks = Task.allCases

    private func restored(_ task: Task, _ session: Session) throws -> [Float] {
        var random = Random(seed: 5)
        let picture = Planar(
            height: 40, width: 48, values: (0..<3 * 40 * 48).map { _ in Float.random(in: 0...1, using: &random) })
        return try picture.withBuffer { buffer in
            try session.restore(buffer, into: buffer, task: task)
            let samples = buffer.data.assumingMemoryBound(to: Float.self)
            return (0..<picture.values.count).map { samples[$0] }
        }
    }

    @Test func whatASessionDidBeforeDoesNotMatter() throws {
        let model = try Model.builtIn(), session = try Session(model, threads: 1)
        for task in Self.tasks + Self.tasks.reversed() {
            #expect(try restored(task, session) == restored(task, try Session(model, threads: 1)), "\(task)")
        }
    }

    @Test(arguments: tasks) func estimateHoldsForEachTask(_ task: Task) throws {
        var bytes = 0
        let allocator = Allocator(
            allocate: { size, alignment in
                bytes = max(bytes, size)
                return UnsafeMutableRawPointer.allocate(byteCount: size, alignment: alignment)
            }, deallocate: { block, _, _ in block.deallocate() })
        let model = try Model.builtIn()
        _ = try restored(task, try Session(model, threads: 1, allocator: allocator))
        #expect(bytes <= (try #require(model.memoryEstimate(width: 48, height: 40, threads: 1))))
    }
}
