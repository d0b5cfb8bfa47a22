import MirlTestSupport
import MirlWeights
import Testing

/// The list of tensors is that of the published checkpoints.
struct ArchitectureTests {
    @Test func thePapersNetworkHasThePapersParameters() throws {
        let paper = Architecture()
        try paper.validate()
        // 35,592,263 parameters of the checkpoints less 215,296 that are never used.
        #expect(paper.tensors.reduce(0) { $0 + $1.rows * $1.columns } == 35_592_263 - 215_296)
        #expect(paper.tensors.count == 548 - 6)
        #expect(Set(paper.tensors.map(\.name)).count == 542)
    }

    @Test(arguments: [
        ("noise_level3.ffn.project_in.weight", [3744, 704, 1, 1]), ("up4_3.body.0.weight", [384, 192, 3, 3]),
        ("reduce_chan_level3.weight", [192, 288, 1, 1]), ("prompt2.prompt_param", [1, 5, 128, 32, 32]),
        ("decoder_level1.3.ffn.dwconv.weight", [510, 1, 3, 3]), ("latent.7.attn.temperature", [8, 1, 1]),
        ("prompt3.linear_layer.weight", [5, 384]), ("output.weight", [3, 96, 3, 3]),
    ])
    func shapesAreThoseOfACheckpoint(name: String, shape: [Int]) throws {
        #expect(Architecture().tensors.first { $0.name == name }?.shape == shape)
    }

    @Test func namesFitARecordInTheDeepestNetwork() throws {
        var deepest = Architecture()
        deepest.blocks = [64, 64, 64, 64]
        deepest.refinement = 64
        try deepest.validate()
        let longest = (deepest.tensors + deepest.mixtures).map(\.name.utf8.count).max()
        #expect(try #require(longest) < Layout.Record.nameSize)
    }

    @Test func everySizeOfTheLargestNetworkFitsItsField() throws {
        var largest = Architecture()
        largest.width = 512
        largest.expansion = 8
        largest.promptChannels = [2048, 2048, 2048]
        largest.promptSizes = [256, 256, 256]
        largest.promptComponents = 16
        try largest.validate()
        #expect(largest.tensors.allSatisfy { $0.rows * $0.columns <= UInt32.max })
        #expect(largest.tensors.allSatisfy { !$0.kind.isSparse || $0.columns <= Layout.maximumSparseColumns })
    }
}
