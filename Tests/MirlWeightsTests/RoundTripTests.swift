import Foundation
import MirlPacking
import MirlTestSupport
import MirlWeights
import Testing

/// What is packed comes back.
struct RoundTripTests {
    @Test(arguments: [ValueType.float32, .float16], [0, 0.05, 0.5, 1])
    func valuesAndArchitectureSurvive(valueType: ValueType, density: Double) throws {
        let checkpoint = Checkpoint(.tiny, density: density, seed: 7)
        let file = try open(checkpoint.packed(valueType, provenance: "Köln, 2026"))
        #expect(file.architecture == .tiny)
        #expect(file.provenance == "Köln, 2026")
        #expect(file.tensors.map(\.name) == sampleTensors.map(\.name))
        try file.verify()
        for spec in file.tensors {
            let matrix = try #require(file.matrix(spec.name))
            let values = try #require(checkpoint.tensors[spec.name]).values
            let isHalf = valueType == .float16 && !spec.kind.isSingle
            #expect(matrix.valueType == (isHalf ? .float16 : .float32))
            #expect(matrix.dense == (isHalf ? values.map { Float(Float16($0)) } : values), "\(spec.name)")
        }
    }

    @Test(arguments: [0.05, 0.5, 1])
    func matricesInEightBitsAreWithinHalfAStepAndZerosExact(density: Double) throws {
        let checkpoint = Checkpoint(.wide, density: density, seed: 9), file = try open(checkpoint.packed(.int8))
        try file.verify()
        for spec in file.tensors where spec.kind.isSparse {
            let matrix = try #require(file.matrix(spec.name)), stored = matrix.dense
            let values = try #require(checkpoint.tensors[spec.name]).values
            let greatest = values.reduce(0) { max($0, abs($1)) }
            #expect(matrix.valueType == .int8)
            for n in values.indices {
                #expect(values[n] == 0 ? stored[n] == 0 : abs(stored[n] - values[n]) <= greatest / 253)
            }
        }
    }

    @Test func aTensorOfZerosSurvivesInEightBits() throws {
        var checkpoint = Checkpoint(.tiny)
        let name = "output.weight", shape = try #require(checkpoint.tensors[name]).shape
        checkpoint.tensors[name] = .init(Array(repeating: 0, count: shape.reduce(1, *)), shape: shape)
        let file = try open(checkpoint.packed(.int8))
        try file.verify()
        #expect(try #require(file.matrix(name)).dense.allSatisfy { $0 == 0 })
    }

    @Test(arguments: [0.02, 0.5])
    func columnsBehindARowsFirstCellSurvive(density: Double) throws {
        let checkpoint = Checkpoint(.wide, density: density, seed: 6), file = try open(checkpoint.packed(.float32))
        try file.verify()
        var cells = 0
        for spec in file.tensors {
            let matrix = try #require(file.matrix(spec.name))
            #expect(matrix.dense == (try #require(checkpoint.tensors[spec.name]).values), "\(spec.name)")
            cells = max(cells, matrix.sparsity?.cells ?? 0)
        }
        #expect(cells == 2)
    }

    @Test func promptsInEightBitsAreWithinHalfAStep() throws {
        var checkpoint = Checkpoint(.tiny, seed: 8)
        // Maps of 4 x 4: one constant, one wide, one far from zero.
        var maps = try #require(checkpoint.tensors["prompt1.prompt_param"]).values
        for n in 0..<16 {
            maps[n] = 0.3
            maps[16 + n] = Float(n) * 1e30
            maps[32 + n] = 1000 + Float(n) / 100
        }
        checkpoint.tensors["prompt1.prompt_param"] = .init(maps, shape: [1, 3, 2, 4, 4])
        let file = try open(checkpoint.packed(.float16, prompts: .int8))
        try file.verify()
        for spec in file.tensors {
            let matrix = try #require(file.matrix(spec.name))
            guard let size = spec.groupSize else {
                #expect(matrix.valueType != .int8)
                continue
            }
            #expect(matrix.valueType == .int8)
            let count = spec.rows * spec.columns
            #expect(matrix.payloadSize == (count / size * 8 + 63) / 64 * 64 + count)
            let values = try #require(checkpoint.tensors[spec.name]).values, stored = matrix.dense
            for start in stride(from: 0, to: values.count, by: size) {
                let group = values[start..<start + size], least = group.min()!, greatest = group.max()!
                // Half a step, and the rounding of offset, scale and sum to fp32.
                let tolerance = (greatest - least) / 508 + max(abs(least), abs(greatest)) * 3e-7
                for n in group.indices { #expect(abs(stored[n] - values[n]) <= tolerance, "\(spec.name) \(n)") }
            }
        }
    }

    @Test func zerosOfPromptsStayZerosInEightBits() throws {
        var checkpoint = Checkpoint(.tiny, seed: 9)
        for (name, tensor) in checkpoint.tensors where name.hasSuffix("prompt_param") {
            // Maps of 4 x 4 and of 2 x 2 about all kinds of middles, some of one sign but for zeros.
            let values = tensor.values.enumerated().map { n, value in
                n % 3 == 1 ? 0 : (value + Float(n / 16 % 5) / 7 - 0.3) * powf(10, Float(n / 16 % 9) - 4)
            }
            checkpoint.tensors[name] = .init(values, shape: tensor.shape)
        }
        let file = try open(checkpoint.packed(.float16, prompts: .int8))
        for spec in file.tensors where spec.groupSize != nil {
            let values = try #require(checkpoint.tensors[spec.name]).values
            let stored = try #require(file.matrix(spec.name)).dense
            for n in values.indices where values[n] == 0 { #expect(stored[n] == 0, "\(spec.name) \(n)") }
        }
    }

    @Test func everyWayToOpenGivesTheSame() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "mirl-\(UUID()).mirl").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(sample).write(to: URL(filePath: path))
        let aligned = UnsafeMutableRawBufferPointer.allocate(byteCount: sample.count + 64, alignment: 64)
        defer { aligned.deallocate() }
        aligned.copyBytes(from: sample)
        let bytes = UnsafeRawBufferPointer(rebasing: aligned.prefix(sample.count))
        let files = try [WeightFile(path: path), open(sample), WeightFile(borrowing: bytes)]
        for spec in sampleTensors {
            let matrices = files.map { $0.matrix(spec.name)?.dense }
            #expect(matrices[0] != nil && matrices[0] == matrices[1] && matrices[0] == matrices[2])
        }
        #expect(files.allSatisfy { $0.size == sample.count })
        #expect(throws: WeightError.self) {
            try WeightFile(borrowing: UnsafeRawBufferPointer(rebasing: aligned[8..<8 + sample.count]))
        }
    }

    @Test(arguments: [0.3, 0.8, 0.95, 1])
    func payloadsAreAlignedAndMatricesAreSparseWhereThatSparesMultiplyAdds(density: Double) throws {
        let sample = try Checkpoint(.tiny, density: density).packed(.float16), file = try open(sample)
        for spec in sampleTensors {
            let record = recordOffset(spec.name)
            #expect(sample.payload(record).lowerBound % 64 == 0)
            let matrix = try #require(file.matrix(spec.name)), count = spec.rows * spec.columns
            let stored = matrix.dense.count { $0 != 0 }
            #expect((matrix.sparsity != nil) == (spec.kind.isSparse && 16 * stored <= 15 * count), "\(spec.name)")
            #expect(matrix.count == (matrix.sparsity == nil ? count : stored))
        }
    }

    @Test func mixturesAreOptionalOneByOne() throws {
        var checkpoint = Checkpoint(.tiny)
        checkpoint.tensors["mixture.derain"] = nil
        let file = try open(checkpoint.packed())
        #expect(file.mixture(of: "derain") == nil)
        #expect(file.mixture(of: "dehaze")?.dense == checkpoint.tensors["mixture.dehaze"]?.values)
        #expect(file.mixture(of: "denoise")?.rows == 3)
        #expect(file.matrix("mixture.snow") == nil)
    }

    @Test func emptyProvenanceAndTheLongest() throws {
        for length in [0, Layout.maximumProvenance] {
            let text = String(repeating: "x", count: length)
            #expect(try open(Checkpoint(.tiny).packed(provenance: text)).provenance == text)
        }
        #expect(throws: PackError.self) {
            try Checkpoint(.tiny).packed(provenance: String(repeating: "x", count: Layout.maximumProvenance + 1))
        }
    }
}
