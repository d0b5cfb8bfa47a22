// A model may have networks for one task alone beside the one for all.
import Mirl
import MirlTestSupport
import MirlWeights
import Testing

@Suite struct SpecialTests {
    /// The special network computes more than the common one, and so takes more memory.
    private let common = Checkpoint(.tiny, density: 0.05, seed: 1), special = Checkpoint(.tiny, density: 0.9, seed: 2)

    private func file(_ checkpoint: Checkpoint) throws -> WeightFile {
        try checkpoint.packed().withUnsafeBytes { bytes throws in try WeightFile(copying: bytes) }
    }

    private func both() throws -> Model { Model(try file(common), special: [.derain: try file(special)]) }

    private func restored(_ task: Task, _ session: Session) throws -> [Float] {
        let picture = Planar(height: 40, width: 48, values: (0..<3 * 40 * 48).map { Float($0 * 37 % 101) / 101 })
        return try picture.withBuffer { buffer in
            try session.restore(buffer, into: buffer, task: task)
            let samples = buffer.data.assumingMemoryBound(to: Float.self)
            return (0..<picture.values.count).map { samples[$0] }
        }
    }

    @Test func eachTaskTakesItsNetworkWhateverWentBefore() throws {
        let session = try Session(try both(), threads: 1)
        let commonOnly = Model(try file(common)), specialOnly = Model(try file(special))
        #expect(try restored(.derain, try Session(commonOnly)) != restored(.derain, try Session(specialOnly)))
        for task in Task.allCases + Task.allCases.reversed() {
            let model = task == .derain ? specialOnly : commonOnly
            #expect(try restored(task, session) == restored(task, try Session(model, threads: 1)), "\(task)")
        }
    }

    @Test func memoryIsThatOfTheTaskAndEstimatedForTheLargest() throws {
        func taken(_ task: Task, of model: Model) throws -> Int {
            let memory = MeasuredMemory()
            _ = try restored(task, try Session(model, threads: 1, allocator: memory.allocator))
            return memory.bytes
        }
        let model = try both(), session = try Session(model, threads: 1)
        let little = try taken(.auto, of: model), much = try taken(.derain, of: model)
        #expect(little < much)
        #expect(model.memoryEstimate(width: 48, height: 40, threads: 1) == much)
        #expect(session.leastMemory(width: 48, height: 40, task: .dehaze) == little)
        #expect(session.leastMemory(width: 48, height: 40, task: .derain) == much)
    }
}
