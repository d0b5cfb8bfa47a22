// A head of attention through which nothing goes may look at whatever it likes.
import Mirl
import MirlTestSupport
import Testing

@Suite struct DeadHeadTests {
    private let block = "decoder_level2.0.attn"

    /// Zeroes rows, or columns, of a convolution's weights.
    private func cut(
        _ name: String, rows: Range<Int>? = nil, columns: Range<Int>? = nil, of checkpoint: inout Checkpoint
    ) {
        let tensor = checkpoint.tensors[name]!, width = tensor.shape.dropFirst().reduce(1, *)
        let values = tensor.values.enumerated().map { i, value in
            rows?.contains(i / width) == true || columns?.contains(i % width) == true ? 0 : value
        }
        checkpoint.tensors[name] = .init(values, shape: tensor.shape)
    }

    private func output(_ checkpoint: Checkpoint) throws -> [Float] {
        let image = Planar(height: 16, width: 24, values: (0..<3 * 16 * 24).map { Float($0 * 37 % 101) / 101 })
        return try image.output(of: Session(.open(packed: checkpoint.packed()), threads: 2))
    }

    /// 8 channels in 2 heads; the first has no values, or project_out does not read it.
    @Test(arguments: [true, false]) func queriesAndKeysOfADeadHeadChangeNothing(hasNoValues: Bool) throws {
        var checkpoint = Checkpoint(.tiny, density: 0.8)
        let whole = try output(checkpoint)
        if hasNoValues {
            cut("\(block).qkv.weight", rows: 16..<20, of: &checkpoint)
        } else {
            cut("\(block).project_out.weight", columns: 0..<4, of: &checkpoint)
        }
        let dead = try output(checkpoint)
        for first in [0, 8] { cut("\(block).qkv.weight", rows: first..<first + 4, of: &checkpoint) }
        #expect(try output(checkpoint) == dead)
        #expect(dead != whole)
        #expect(dead.allSatisfy { $0.isFinite })
    }
}
