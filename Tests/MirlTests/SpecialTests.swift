// A model may have networks for one task alone beside the one for all.
import Foundation
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

    private func restored(
        _ task: Task, _ session: Session, strength: Float = 1, replacing odd: [Float] = [],
        progress: ((Float) -> Bool)? = nil
    ) throws -> [Float] {
        var values: [Float] = (0..<5760).map { Float($0 * 37 % 101) / 101 }
        values.replaceSubrange(0..<odd.count, with: odd)
        let picture = Planar(height: 40, width: 48, values: values)
        return try picture.withBuffer { buffer in
            try session.restore(buffer, into: buffer, task: task, strength: strength, progress: progress)
            return buffer.floats
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

    @Test func weightsThatKnowNoTasksRestoreAllAlikeAndSayNothing() throws {
        let model = Model(try file(Checkpoint(.tiny, density: 0.9, mixtures: false)))
        let session = try Session(model, threads: 1), auto = try restored(.auto, session)
        for task in Task.allCases {
            #expect(try restored(task, session) == auto, "\(task)")
            #expect(session.seen == nil)
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
        #expect(session.leastMemory(width: 48, height: 40, task: .auto) == much)
        #expect(session.leastMemory(width: 48, height: 40, task: .derain) == much)
    }

    /// A common network that sees the same in every image: the mixture that is the mean of these kinds, or lies
    /// `away` from that of the first towards that of "clean".
    private func model(
        seeing kinds: [String], away: Float = 0, special tasks: [Task] = [.derain]
    ) throws -> Model {
        var common = common
        let seen: [Float] = [0.25, 0.5, 0.25], step: [Float] = [0.2, -0.2, 0]
        for level in 1...3 {
            let linear = "prompt\(level).linear_layer", weights = common.tensors[linear + ".weight"]!
            common.tensors[linear + ".weight"] = .init(weights.values.map { _ in 0 }, shape: weights.shape)
            common.tensors[linear + ".bias"] = .init(seen.map(log), shape: [3])
        }
        for kind in Architecture.kinds {
            var means: [Float] = kinds.contains(kind) ? seen : [0, 0, 1]
            if away > 0, kind == kinds[0] { means = zip(seen, step).map { $0 + away * $1 } }
            if away > 0, kind == "clean" { means = zip(seen, step).map { $0 - (1 - away) * $1 } }
            common.tensors["mixture.\(kind)"] = .init([means, means, means].flatMap { $0 }, shape: [3, 3])
        }
        let files = try tasks.enumerated().map { i, task in
            (task, try file(Checkpoint(.tiny, density: 0.9, seed: UInt64(2 + i))))
        }
        return Model(try file(common), special: Dictionary(uniqueKeysWithValues: files))
    }

    /// What `auto` restores and sees, and whether that is what the network of another task makes of it.
    private func auto(_ model: Model, restoresAs task: Task) throws -> (seen: Session.Sight?, isSame: Bool) {
        let session = try Session(model, threads: 1)
        let restored = try restored(.auto, session), seen = session.seen
        return (seen, try restored == self.restored(task, session))
    }

    @Test func autoTakesTheNetworkOfTheTaskThatIsSeen() throws {
        let (seen, isSpecial) = try auto(try model(seeing: ["derain"]), restoresAs: .derain)
        #expect(isSpecial && seen?.task == .derain && seen!.confidence > 0.99)
    }

    @Test(arguments: [.derain, .denoise] as [Task], [0.05, 0.2, 0.3, 0.4] as [Float])
    func autoRemovesTheMoreTheSurerItIs(task: Task, away: Float) throws {
        let model = try model(seeing: [task.rawValue], away: away, special: [.derain, .denoise])
        let session = try Session(model, threads: 1)
        let result = try restored(.auto, session, strength: 0.5), seen = try #require(session.seen)
        let share = min(1, (seen.confidence - 0.5) / (0.9 - 0.5))
        #expect(seen.task == task && abs(seen.confidence - (1 - away)) < 1e-3 && session.done == (task, share))
        let expected = try restored(task, session, strength: 0.5 * share)
        #expect(zip(result, expected).allSatisfy { abs($0 - $1) < 1e-6 })
    }

    @Test func ofFloatsAsWellOnlyTheStrengthThatIsAskedForKeepsWhatNoColourIs() throws {
        let session = try Session(try model(seeing: ["derain"], away: 0.3), threads: 1)
        let odd: [Float] = [.nan, 5, -2, .infinity]
        let (whole, half) = try (
            restored(.auto, session, replacing: odd), restored(.auto, session, strength: 0.5, replacing: odd)
        )
        #expect(session.done.strength < 1)
        #expect(whole.allSatisfy { $0 >= 0 && $0 <= 1 })
        #expect(half.contains(where: \.isNaN) && half.contains { value in value > 2 })
    }

    @Test(arguments: [0.35: 0, 0.2: 0.5, 0.05: 1] as [Float: Float])
    func autoRemovesHazeOnlyIfItIsRatherSure(away: Float, share: Float) throws {
        let model = try model(seeing: ["dehaze"], away: away, special: [.dehaze, .denoise])
        let session = try Session(model, threads: 1), result = try restored(.auto, session), done = session.done
        #expect(session.seen?.task == .dehaze && abs(session.seen!.confidence - (1 - away)) < 1e-3)
        #expect(done.task == .dehaze && abs(done.strength - share) < 0.01)
        let expected = try restored(.dehaze, session, strength: done.strength)
        #expect(zip(result, expected).allSatisfy { abs($0 - $1) < 1e-6 })
    }

    /// Of haze too little is seen, or nothing of what is removed is asked for.
    @Test(arguments: [(0.35, 1), (0.35, 0.5), (0.35, 0), (0, 0)] as [(Float, Float)])
    func whatIsNotTakenIsNotComputed(away: Float, strength: Float) throws {
        let model = try model(seeing: ["dehaze"], away: away, special: [.dehaze])
        let memory = MeasuredMemory(), whole = MeasuredMemory()
        let session = try Session(model, threads: 1, allocator: memory.allocator)
        let odd: [Float] = [.nan, 5, -2, .infinity]
        var shares: [Float] = []
        let result = try restored(.auto, session, strength: strength, replacing: odd) {
            shares.append($0)
            return true
        }
        #expect(shares == shares.sorted() && shares.filter { $0 == 1 }.count == 1)
        #expect(session.seen?.task == .dehaze && session.done.task == .dehaze)
        let named = try Session(model, threads: 1, allocator: whole.allocator)
        let expected = try restored(.dehaze, named, strength: 0, replacing: odd)
        #expect(memory.bytes < whole.bytes)
        for (value, before) in zip(result, expected) {
            let colour = before > 0 ? min(before, 1) : 0
            let kept = strength == 1 ? colour : (1 - strength) * before + strength * colour
            #expect(value == kept || value.isNaN && kept.isNaN)
        }
    }

    @Test func autoDenoisesWhenNothingIsSeen() throws {
        let (seen, isDenoised) = try auto(try model(seeing: ["clean"], special: [.derain, .denoise]), restoresAs: .denoise)
        #expect(isDenoised && seen?.task == .auto && seen!.confidence > 0.99)
    }

    @Test(arguments: ["denoise", "derain", "dehaze"])
    func autoChangesNothingWhereNothingIsAsLikely(kind: String) throws {
        let model = try model(seeing: [kind], away: 0.5, special: [.derain, .denoise, .dehaze])
        let session = try Session(model, threads: 1)
        let result = try restored(.auto, session)
        #expect(session.done.strength < 0.01)
        let input = try restored(.denoise, session, strength: 0)
        #expect(zip(result, input).allSatisfy { abs($0 - $1) < 0.01 })
    }

    /// Numbers as a hostile file may hold: shares lie between 0 and 1.
    @Test(arguments: [1e30, -1e30, .nan, 2] as [Float])
    func whatIsNoShareTellsNothing(value: Float) throws {
        var checkpoint = common
        checkpoint.tensors["mixture.denoise"] = .init([value] + Array(repeating: 0.3, count: 8), shape: [3, 3])
        guard let network = try? file(checkpoint) else { return #expect(value.isNaN) }  // refused when it is packed
        let session = try Session(Model(network), threads: 1)
        _ = try restored(.derain, session)
        #expect(session.seen == nil)
    }

    @Test(arguments: [1, 100, 256, 511, 512, 1000, 65535])
    func placesToLookAtLieApartWithinTheImage(length: Int) {
        let glance = Glance(width: length, height: 300)
        #expect(glance.rows == [22..<278])
        #expect(glance.columns.count == [1: 1, 100: 1, 256: 1, 511: 1, 512: 2][length, default: 3])
        #expect(glance.columns.allSatisfy { $0.count == min(256, length) && $0.clamped(to: 0..<length) == $0 })
        #expect(zip(glance.columns, glance.columns.dropFirst()).allSatisfy { $0.upperBound <= $1.lowerBound })
        // As far from one end as from the other.
        #expect(abs(glance.columns[0].lowerBound - (length - glance.columns.last!.upperBound)) <= 1)
    }

    @Test func autoLooksWithinTheLimitOfMemory() throws {
        let model = try model(seeing: ["derain"]), memory = MeasuredMemory()
        let session = try Session(model, threads: 1, allocator: memory.allocator)
        let least = session.leastMemory(width: 48, height: 40, task: .auto)
        let picture = Planar(height: 40, width: 48, values: [Float](repeating: 0.5, count: 3 * 40 * 48))
        try picture.withBuffer { try session.restore($0, into: $0, memoryLimit: least) }
        #expect(session.seen?.task == .derain && memory.bytes == least)
    }

    @Test func autoTakesNoNetworkThatThereIsNot() throws {
        let (seen, isSpecial) = try auto(try model(seeing: ["dehaze"]), restoresAs: .derain)
        #expect(!isSpecial && seen?.task == .dehaze)
    }

    /// Each half of a wide picture is a place.
    @Test func whatIsSeenIsTheMeanOfThePlaces() throws {
        var random = Random(seed: 5)
        let halves = (1...2).map { half in (0..<256).map { _ in Float.random(in: 0...Float(half), using: &random) } }
        let session = try Session(try both(), threads: 1)
        func seen(_ columns: [Float]) throws -> Float {
            let values = (0..<3 * 16).flatMap { _ in columns }
            try Planar(height: 16, width: columns.count, values: values).withBuffer {
                try session.restore($0, into: $0)
            }
            return try #require(session.seen).confidence
        }
        let (left, right) = (halves[0], halves[1])
        #expect(try seen(left + left) == seen(left))
        #expect(try seen(left + right) == seen(right + left))
        #expect(try seen(left + right) != seen(left) && seen(left + right) != seen(right))
    }

    @Test func aLookIsPartOfTheProgressAndCanBeCancelled() throws {
        let model = try model(seeing: ["derain"]), session = try Session(model, threads: 1)
        let picture = Planar(height: 40, width: 300, values: [Float](repeating: 0.5, count: 3 * 40 * 300))
        try picture.withBuffer { buffer in
            var told: [Float] = []
            try session.restore(buffer, into: buffer) { told.append($0); return true }
            #expect(told.last == 1 && told == told.sorted() && told.contains { $0 > 0 && $0 < 0.05 })
            let unseen = try Session(model, threads: 1)
            #expect(throws: MirlError.cancelled) { try unseen.restore(buffer, into: buffer) { $0 < 0.02 } }
            #expect(unseen.seen == nil)
        }
    }
}
