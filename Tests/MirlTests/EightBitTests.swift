// Values stored in 8 bits are the numbers that the weight file says they stand for.
import Mirl
import MirlPacking
import MirlTestSupport
import MirlWeights
import Testing

@Suite struct EightBitTests {
    @Test(arguments: Kernels.names, [ValueType.float16, .int8])
    func eightBitsGiveWhatTheirNumbersInFp32Give(kernels: String, ofMatrices: ValueType) throws {
        var checkpoint = Checkpoint(.tiny)
        let quantized = try checkpoint.packed(ofMatrices, prompts: .int8)
        let exact = try checkpoint.packed(.float16, prompts: .float32)
        let file = try quantized.withUnsafeBytes { try WeightFile(copying: $0) }
        for spec in file.tensors where spec.kind.isSparse && ofMatrices == .int8 || spec.groupSize != nil {
            checkpoint.tensors[spec.name] = .init(try #require(file.matrix(spec.name)).dense, shape: spec.shape)
        }
        let decoded = try checkpoint.packed(ofMatrices == .int8 ? .float32 : .float16, prompts: .float32)
        let result = try output(of: quantized, kernels)
        #expect(try result == output(of: decoded, kernels))
        #expect(try result != output(of: exact, kernels))
    }

    private func output(of weights: [UInt8], _ kernels: String) throws -> [Float] {
        let image = Planar(height: 16, width: 24, values: (0..<3 * 16 * 24).map { Float($0 * 37 % 101) / 101 })
        return try image.output(of: Session(.open(packed: weights), threads: 2, kernels: kernels))
    }
}
