// Checkpoints of any origin become the weight file that the same values in safetensors become.
import Foundation
import MirlPacking
import MirlTestSupport
import MirlWeights
import Testing

/// training/make_checkpoints.py wrote one network in each of these ways.
func fixture(_ name: String) throws -> [UInt8] {
    let folder = URL(filePath: #filePath).deletingLastPathComponent()
    return Array(try Data(contentsOf: folder.appending(path: "Checkpoints/\(name)")))
}

func imported(_ bytes: [UInt8], prefix: String? = nil, skippingUnknown: Bool = false) throws -> [UInt8] {
    try bytes.withUnsafeBytes { bytes in
        try importCheckpoint(bytes, prefix: prefix, skippingUnknown: skippingUnknown, PackOptions(values: .float32))
    }
}

/// The line that refuses the import, or nil.
func importRefusal(_ bytes: [UInt8], prefix: String? = nil, skippingUnknown: Bool = false) -> String? {
    do {
        _ = try imported(bytes, prefix: prefix, skippingUnknown: skippingUnknown)
        return nil
    } catch {
        return "\(error)"
    }
}

struct ImportTests {
    private let checkpoint = Checkpoint(.tiny)

    @Test(arguments: ["lightning.ckpt", "plain.pth", "legacy.pth", "weights.safetensors"])
    func everyFormatGivesTheSameFile(name: String) throws {
        let packed = try fixture("weights.safetensors").withUnsafeBytes { bytes in
            try pack(safetensors: bytes, PackOptions(values: .float32))
        }
        #expect(try imported(fixture(name)) == packed)
        try open(packed).verify()
    }

    /// The length 0x4B50 begins like a zip archive, "PK".
    @Test func theLengthOfAHeaderIsNoSignOfAnotherFormat() throws {
        let file = try fixture("weights.safetensors"), header = Int(file.integer(at: 0, as: UInt64.self))
        let padded = file[8..<8 + header] + Array(repeating: UInt8(ascii: " "), count: 0x4B50 - header)
        let length = withUnsafeBytes(of: UInt64(0x4B50).littleEndian) { Array($0) }
        #expect(try imported(length + padded + file[(8 + header)...]) == imported(file))
    }

    @Test func theArchitectureShowsInTheShapes() throws {
        let network = try open(imported(fixture("lightning.ckpt"))).architecture
        #expect(network.width == 2 && network.blocks == [1, 2, 1, 1] && network.refinement == 1)
        #expect(network.heads == [1, 2, 1, 4] && network.promptHeads == 2 && network.expansion == 2.66)
        #expect(network.promptChannels == [2, 4, 2] && network.promptSizes == [4, 3, 2])
        #expect(network.promptComponents == 2)
    }

    @Test func aStateDictMadeHereGivesTheSameFile() throws {
        var plain = checkpoint
        plain.metadata = [:]
        let expected = try plain.packed()
        #expect(try imported(checkpoint.torchFile().bytes) == expected)
        var long = checkpoint.torchFile()
        long.isLong = true
        #expect(try imported(long.bytes) == expected)
    }

    @Test func namesMayHaveAnyPrefixAndDepth() throws {
        let expected = try imported(checkpoint.torchFile().bytes)
        let state = Pickled.dictionary(checkpoint.pickledTensors)
        let named = Pickled.dictionary(checkpoint.pickledTensors.map { ("module.net." + $0, $1) })
        let nested = Pickled.dictionary([("a", Pickled.dictionary([("b", named)]))])
        for pickle in [Pickled.dictionary([("params", state)]), named, nested] {
            #expect(try imported(checkpoint.torchFile(pickle).bytes) == expected)
        }
    }

    @Test func ofSeveralNetworksOneIsChosen() throws {
        let state = Pickled.dictionary(checkpoint.pickledTensors)
        let bytes = checkpoint.torchFile(Pickled.dictionary([("params", state), ("params_ema", state)])).bytes
        #expect(importRefusal(bytes)?.contains(#""params.", "params_ema.""#) == true)
        #expect(try imported(bytes, prefix: "params_ema.") == imported(checkpoint.torchFile().bytes))
        #expect(importRefusal(bytes, prefix: "ema.") == #"no tensor's name begins with "ema.""#)
    }

    /// Each would be looked for in each name.
    @Test func thousandsOfNetworksAreRefused() throws {
        let (name, tensor) = try #require(checkpoint.pickledTensors.first { $0.0 == "patch_embed.proj.weight" })
        let many = Pickled.dictionary((0..<2000).map { ("n\($0).\(name)", tensor) })
        #expect(importRefusal(checkpoint.torchFile(many).bytes, prefix: "n1.") == "more than 100 networks")
    }

    @Test func aPrefixThatIsTooShortIsToldTheWholeOne() throws {
        let named = Pickled.dictionary(checkpoint.pickledTensors.map { ("net." + $0, $1) })
        let bytes = checkpoint.torchFile(Pickled.dictionary([("state_dict", named)])).bytes
        let refusal = importRefusal(bytes, prefix: "state_dict.")
        #expect(refusal?.contains(#"names that begin with "state_dict.net."; choose those by --prefix"#) == true)
        #expect(try imported(bytes, prefix: "state_dict.net.") == imported(checkpoint.torchFile().bytes))
    }

    /// As an average may lie among the weights that it is of.
    @Test func aNetworkAroundAnotherCanBeChosen() throws {
        let state = checkpoint.pickledTensors, inner = Pickled.dictionary(state)
        let bytes = checkpoint.torchFile(Pickled.dictionary(state + [("ema", inner)])).bytes
        #expect(importRefusal(bytes)?.contains(#""", "ema.""#) == true)
        for prefix in ["", "ema."] {
            #expect(try imported(bytes, prefix: prefix) == imported(checkpoint.torchFile().bytes))
        }
    }

    /// Every n-th element of one storage: together they have no more values than it.
    @Test func tensorsMayBeSlicesOfOneStorage() throws {
        let vectors = Dictionary(grouping: checkpoint.tensors.filter { $0.value.shape.count == 1 }) { $0.value.shape }
        let (shape, slices) = try #require(vectors.max { $0.value.count < $1.value.count })
        var together = checkpoint, changes: [String: [UInt8]] = [:]
        let storage = Pickled.storage("FloatStorage", slices[0].key, slices.count * shape[0])
        for (i, slice) in slices.enumerated() {
            changes[slice.key] = Pickled.tensor(storage: storage, offset: i, shape: shape, strides: [slices.count])
        }
        let values = (0..<shape[0]).flatMap { place in slices.map { $0.value.values[place] } }
        together.tensors[slices[0].key] = .init(values, shape: [values.count])
        let pickle = Pickled.dictionary(checkpoint.pickledTensors.map { ($0, changes[$0] ?? $1) })
        #expect(try imported(together.torchFile(pickle).bytes) == imported(checkpoint.torchFile().bytes))
    }

    /// What other parts of a training hold is neither read nor judged.
    @Test func tensorsBesideTheNetworkDoNotMatter() throws {
        let foreign = Pickled.tensor(storage: Pickled.storage("LongStorage", "absent", 1), shape: [], strides: [])
        let named = checkpoint.pickledTensors.map { ("net." + $0, $1) } + [("n_averaged", foreign)]
        let file = checkpoint.torchFile(Pickled.dictionary(named)).bytes
        #expect(try imported(file) == imported(checkpoint.torchFile().bytes))
    }

    @Test func integersBesideTheNetworkDoNotMatterInSafetensors() throws {
        var named = checkpoint
        named.tensors = Dictionary(uniqueKeysWithValues: checkpoint.tensors.map { ("net." + $0, $1) })
        let expected = try imported(named.safetensors)
        named.tensors["step"] = .init(type: "I64", shape: [], bytes: Array(repeating: 7, count: 8))
        #expect(try imported(named.safetensors) == expected)
        named.tensors["net.step"] = named.tensors["step"]
        #expect(importRefusal(named.safetensors)?.contains(#"net.step": dtype is not"#) == true)
    }

    @Test func objectsBesideTheWeightsAreNotMade() throws {
        let rates = Pickled.dictionary([("lr", [0x4E])]) + [0x62]
        let namespace = Pickled.global("argparse", "Namespace") + [0x29, 0x81] + rates
        let array = Pickled.call("numpy.core.multiarray", "scalar", Pickled.global("numpy", "dtype"), [0x43, 1, 0])
        let state = Pickled.dictionary(checkpoint.pickledTensors)
        func file(_ object: [UInt8]) -> [UInt8] {
            checkpoint.torchFile(Pickled.dictionary([("state_dict", state), ("hyper_parameters", object)])).bytes
        }
        let expected = try imported(checkpoint.torchFile().bytes)
        #expect(try imported(file(namespace)) == expected)
        #expect(try imported(file(array)) == expected)
        let own = file(Pickled.call("my.options", "Options", Pickled.text("x")))
        #expect(importRefusal(own)?.contains("names \"my.options.Options\", which is not known") == true)
        #expect(try imported(own, skippingUnknown: true) == expected)
    }

    @Test(arguments: [1.0, 2, 2.5, 3.3, 4]) func theExpansionShowsInTheShapes(expansion: Double) throws {
        var network = Architecture.tiny
        network.expansion = expansion
        let file = try open(imported(Checkpoint(network).torchFile().bytes))
        #expect(file.tensors == network.tensors + network.mixtures)
    }
}
