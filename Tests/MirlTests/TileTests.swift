// Under a memory limit, large images are restored in tiles that fade into each other.
import Glibc
import Mirl
import MirlTestSupport
import Testing

@Suite struct TileTests {
    struct Case: CustomTestStringConvertible {
        /// Pixels, and the limit as a share of what the whole image takes.
        let width, height: Int
        let share: Double

        var testDescription: String { "\(width)x\(height), \(share)" }
    }

    /// Cut into columns, into rows, and both ways. Sides are multiples of 8: others are padded, and what the padding of
    /// the whole and that of the last tiles do to the edge would hide what is sought.
    static let cases = [
        Case(width: 336, height: 200, share: 0.9), Case(width: 200, height: 336, share: 0.9),
        Case(width: 600, height: 592, share: 0.45),
    ]

    struct Result {
        /// 3 x width x height, interleaved.
        var samples: [Float]
        /// Of scratch memory, in the end.
        var bytes: Int
        var seen: Session.Sight?
    }

    /// A smooth picture with some noise.
    func picture(_ size: Case) -> Planar {
        var random = Random(seed: 3)
        var values: [Float] = []
        for c in 0..<3 {
            for y in 0..<size.height {
                for x in 0..<size.width {
                    let field = 0.5 + 0.5 * sin(Float(x * (c + 1)) / 12 + Float(y) / 9)
                    values.append(0.35 + 0.3 * field + Float.random(in: -0.1...0.1, using: &random))
                }
            }
        }
        return Planar(height: size.height, width: size.width, values: values)
    }

    func restored(
        _ size: Case, limit: Int?, task: Task = .auto, threads: Int = 1, session: Session? = nil,
        progress: ((Float) -> Bool)? = nil
    ) throws -> Result {
        let memory = MeasuredMemory()
        let session = try session ?? Session(try Model.builtIn(), threads: threads, allocator: memory.allocator)
        let samples = try picture(size).withBuffer { buffer in
            try session.restore(buffer, into: buffer, task: task, memoryLimit: limit, progress: progress)
            return buffer.floats
        }
        return Result(samples: samples, bytes: memory.bytes, seen: session.seen)
    }

    @Test func aLimitThatSufficesChangesNothing() throws {
        let whole = try restored(Self.cases[0], limit: nil)
        let limited = try restored(Self.cases[0], limit: whole.bytes)
        #expect(limited.samples == whole.samples)
    }

    /// Sides of tiles are multiples of 8.
    @Test(arguments: [264, 272, 368, 424, 496]) func tilesAreTheLargestThatTheLimitAllows(side: Int) throws {
        let model = try tiny(), size = Case(width: 600, height: 592, share: 1), memory = MeasuredMemory()
        let session = try Session(model, threads: 1, allocator: memory.allocator)
        let limit = try limit(for: side, of: size, model: model, session: session, threads: 1)
        _ = try restored(size, limit: limit, session: session)
        #expect(memory.bytes == limit)
    }

    /// What tiles of `side` pixels squared take, with the result.
    private func limit(for side: Int, of size: Case, model: Model, session: Session, threads: Int) throws -> Int {
        func tile(_ side: Int) throws -> Int {
            try #require(model.memoryEstimate(width: side, height: side, threads: threads))
        }
        return try session.leastMemory(width: size.width, height: size.height, task: .auto) - tile(256) + tile(side)
    }

    /// With many threads a tile may take more than an image that is a little larger.
    @Test(arguments: [256, 257, 264, 272, 300], [1, 16, 64])
    func theLeastMemorySuffices(side: Int, threads: Int) throws {
        let memory = MeasuredMemory()
        let session = try Session(try tiny(), threads: threads, allocator: memory.allocator)
        let least = session.leastMemory(width: side, height: side, task: .auto)
        let whole = try #require(try tiny().memoryEstimate(width: side, height: side, threads: threads))
        #expect(least <= whole)
        _ = try restored(Case(width: side, height: side, share: 1), limit: least, session: session)
        #expect(memory.bytes <= least)
    }

    private func tiny() throws -> Model { try .open(packed: Checkpoint(.tiny, density: 0.05, seed: 1).packed()) }

    @Test(arguments: cases) func tilesKeepToTheLimitAndComeCloseToTheWhole(size: Case) throws {
        let whole = try restored(size, limit: nil, task: .derain), limit = Int(Double(whole.bytes) * size.share)
        let tiled = try restored(size, limit: limit, task: .derain)
        #expect(tiled.bytes <= limit)
        #expect(tiled.samples != whole.samples)
        #expect(tiled.seen?.task == whole.seen?.task)
        let error = zip(tiled.samples, whole.samples).reduce(0.0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) }
        #expect(error / Double(whole.samples.count) < 1e-4, "PSNR at least 40 dB")
        try expectNoSeams(zip(tiled.samples, whole.samples).map { $0 - $1 }, size)
    }

    /// Where tiles meet, the difference from the whole has no steps: no column or row of it is steeper than the others.
    private func expectNoSeams(_ difference: [Float], _ size: Case) throws {
        let row = 3 * size.width
        var across = [Float](repeating: 0, count: size.width), down = [Float](repeating: 0, count: size.height)
        for y in 0..<size.height {
            for i in y * row..<(y + 1) * row {
                if i >= y * row + 3 { across[i % row / 3] += abs(difference[i] - difference[i - 3]) }
                if y > 0 { down[y] += abs(difference[i] - difference[i - row]) }
            }
        }
        for steps in [across, down] {
            let mean = steps.reduce(0, +) / Float(steps.count - 1), place = steps.firstIndex(of: steps.max()!)!
            #expect(steps[place] < 3 * mean, "at \(place)")
        }
    }

    @Test func threadsDoNotChangeABitOfEqualTiles() throws {
        let model = try tiny(), size = Case(width: 600, height: 592, share: 1)
        let results = try [1, 2, 3].map { threads in
            let session = try Session(model, threads: threads)
            let limit = try self.limit(for: 272, of: size, model: model, session: session, threads: threads)
            return try restored(size, limit: limit, session: session).samples
        }
        #expect(results[1] == results[0] && results[2] == results[0])
    }

    @Test func progressRisesOverAllTilesAndCancels() throws {
        let limit = try restored(Self.cases[1], limit: nil).bytes * 9 / 10
        let session = try Session(try Model.builtIn(), threads: 2)
        var told: [Float] = []
        let expected = try restored(Self.cases[1], limit: limit, session: session) { done in
            told.append(done)
            return true
        }
        for part: Range<Float> in [0.2..<0.4, 0.6..<0.8, 1..<2] { #expect(told.contains { part.contains($0) }) }
        #expect(zip(told, told.dropFirst()).allSatisfy { $0 <= $1 })
        for share: Float in [0, 0.3, 0.7, 1] {
            #expect(throws: MirlError.cancelled) {
                try restored(Self.cases[1], limit: limit, session: session) { $0 < share }
            }
        }
        #expect(try restored(Self.cases[1], limit: limit, session: session).samples == expected.samples)
    }

    /// What a larger limit has let a session take, it gives back under a smaller one.
    @Test func aSmallerLimitFreesWhatALargerOneTook() throws {
        var held = 0
        let allocator = Allocator(
            allocate: { size, alignment in
                held += size
                return UnsafeMutableRawPointer.allocate(byteCount: size, alignment: alignment)
            },
            deallocate: { block, size, _ in
                held -= size
                block.deallocate()
            })
        let session = try Session(try Model.builtIn(), threads: 1, allocator: allocator)
        _ = try restored(Self.cases[0], limit: nil, task: .denoise, session: session)
        let limit = held * 9 / 10
        _ = try restored(Self.cases[0], limit: limit, task: .denoise, session: session)
        #expect(held <= limit)
    }

    /// There would be no memory either, but nobody asks for it.
    @Test func theSearchForTilesCanBeCancelled() throws {
        let none = Allocator(allocate: { _, _ in nil }, deallocate: { _, _, _ in })
        let session = try Session(try Model.builtIn(), threads: 1, allocator: none)
        let limit = try restored(Self.cases[0], limit: nil, task: .denoise).bytes * 9 / 10
        #expect(throws: MirlError.cancelled) {
            try restored(Self.cases[0], limit: limit, task: .denoise, session: session) { _ in false }
        }
    }

    @Test func aLimitThatNoTileCanKeepIsAnError() throws {
        #expect { try restored(Self.cases[0], limit: 1 << 20) } throws: { error in
            "\(error)".contains("more than the limit of 1048576")
        }
    }
}
