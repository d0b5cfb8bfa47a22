// Weights that drive the network to numbers beyond all bounds do no harm to what does not need it.
import Mirl
import MirlTestSupport
import Testing

@Suite struct InfinityTests {
    /// What a network with enormous weights, finite all of them, makes of an image; and what it saw.
    private func restored(_ image: Planar) throws -> (samples: [Float], seen: Session.Sight?) {
        var checkpoint = Checkpoint(.tiny)
        for name in ["patch_embed.proj.weight", "output.weight"] {
            let values = checkpoint.tensors[name]!.values.map { $0 * 3e38 }
            checkpoint.tensors[name] = .init(values, shape: checkpoint.tensors[name]!.shape)
        }
        let session = try Session(.open(packed: checkpoint.packed()), threads: 1)
        return try image.withBuffer { buffer in
            try session.restore(buffer, into: buffer)
            return (buffer.floats, session.seen)
        }
    }

    @Test func theInputStaysWhereThereIsNoResult() throws {
        let image = Planar(height: 16, width: 16, values: (0..<768).map { Float($0 % 101) / 101 })
        let before = image.withBuffer { $0.floats }
        #expect(try restored(image).samples == before)
    }

    @Test func nothingIsSeenInWhatIsNotANumber() throws {
        let image = Planar(height: 16, width: 16, values: [Float](repeating: 1, count: 768))
        #expect(try restored(image).seen == nil)
    }
}
