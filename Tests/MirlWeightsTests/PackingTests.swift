import MirlPacking
import MirlTestSupport
import MirlWeights
import Testing

/// Only whole, sound checkpoints of this network are packed.
struct PackingTests {
    /// The line that refuses the checkpoint after `change`, or nil.
    private func refusal(_ valueType: ValueType = .float32, _ change: (inout Checkpoint) -> Void) -> String? {
        var checkpoint = Checkpoint(.tiny)
        change(&checkpoint)
        do {
            _ = try checkpoint.packed(valueType)
            return nil
        } catch {
            return "\(error)"
        }
    }

    @Test func theArchitectureIsInferredFromShapes() throws {
        var checkpoint = Checkpoint(.tiny)
        checkpoint.metadata = [:]
        #expect(try open(checkpoint.packed()).architecture == .tiny)
    }

    @Test func anExpansionThatNoNumberExplainsIsRefused() {
        let reason = refusal {
            $0.metadata = [:]
            let ones = [Float](repeating: 1, count: 32 * 90)
            $0.tensors["latent.0.ffn.project_out.weight"] = .init(ones, shape: [32, 90, 1, 1])
        }
        #expect(reason?.hasPrefix("no expansion makes the feed-forward layers' hidden channels: 10 of 4, ") == true)
    }

    @Test func provenanceComesFromTheMetadataUnlessGiven() throws {
        var checkpoint = Checkpoint(.tiny)
        checkpoint.metadata["provenance"] = "trained on \"photos\""
        #expect(try open(checkpoint.packed()).provenance == "trained on \"photos\"")
        #expect(try open(checkpoint.packed(provenance: "other")).provenance == "other")
    }

    @Test func unusedTensorsOfPublishedCheckpointsAreLeftOut() throws {
        var checkpoint = Checkpoint(.tiny)
        let expected = try checkpoint.packed()
        checkpoint.tensors["chnl_reduce1.weight"] = .init([1], shape: [1, 1, 1, 1])
        checkpoint.tensors["reduce_noise_channel_3.weight"] = .init([1], shape: [1, 1, 1, 1])
        #expect(try checkpoint.packed() == expected)
    }

    @Test func halfPrecisionCheckpointsAreRead() throws {
        var checkpoint = Checkpoint(.tiny)
        checkpoint.tensors["output.weight"] = .init(
            type: "F16", shape: [3, 8, 3, 3], bytes: Array(repeating: [0x00, 0x3C], count: 216).flatMap { $0 })
        checkpoint.tensors["prompt1.linear_layer.bias"] = .init(
            type: "BF16", shape: [3], bytes: [0x80, 0x3F, 0x00, 0xC0, 0x00, 0x00])
        let file = try open(checkpoint.packed())
        #expect(file.matrix("output.weight")?.dense == Array(repeating: 1, count: 216))
        #expect(file.matrix("prompt1.linear_layer.bias")?.dense == [1, -2, 0])
    }

    @Test func missingTensorsAreNamed() {
        #expect(refusal { $0.tensors["up3_2.body.0.weight"] = nil } == "up3_2.body.0.weight is missing")
    }

    @Test func foreignTensorsAreNamed() {
        let reason = refusal { $0.tensors["up3_2.body.0.bias"] = .init([1], shape: [1]) }
        #expect(reason == "\"up3_2.body.0.bias\" is not a tensor of this network")
    }

    @Test func wrongShapesAreNamed() {
        let reason = refusal { $0.tensors["output.weight"]?.shape = [8, 3, 3, 3] }
        #expect(reason == "output.weight: shape is [8, 3, 3, 3], expected [3, 8, 3, 3]")
    }

    @Test(arguments: [Float.nan, .infinity, -.infinity]) func whatIsNotFiniteIsNamed(value: Float) throws {
        let reason = refusal { $0.tensors["prompt1.linear_layer.bias"] = .init([0, value, 0], shape: [3]) }
        #expect(reason == "prompt1.linear_layer.bias: value 1 is \(value)")
    }

    @Test func whatHalfPrecisionCannotHoldIsNamed() {
        func enlarge(_ checkpoint: inout Checkpoint) {
            checkpoint.tensors["reduce_chan_level2.weight"] = .init(
                Array(repeating: 65520, count: 128), shape: [8, 16, 1, 1])
        }
        #expect(refusal(.float32, enlarge) == nil)
        #expect(refusal(.float16, enlarge)?.hasSuffix("too large for fp16") == true)
    }

    /// 127 steps of the greatest number's 127th part may be more than it.
    @Test(arguments: ["reduce_chan_level2.weight", "prompt1.prompt_param"])
    func whatEightBitsCannotHoldIsNamed(_ name: String) {
        let reason = refusal(.int8) {
            var values = $0.tensors[name]!.values
            values[3] = .greatestFiniteMagnitude
            $0.tensors[name] = .init(values, shape: $0.tensors[name]!.shape)
        }
        #expect(reason == "\(name): value 3 is 3.4028235e+38, too large for int8")
    }

    @Test(arguments: [
        #"{"width": 4}"#, "[]", "", #"{"width": "4"}"#, String(repeating: "[", count: 10_000),
        Architecture.tiny.config.replacing("}", with: #", "depth": 3}"#),
        Architecture.tiny.config.replacing("\"width\": 4", with: "\"width\": 4.5"),
        Architecture.tiny.config.replacing("\"width\": 4", with: "\"width\": -4"),
        Architecture.tiny.config.replacing("\"width\": 4", with: "\"width\": 4, \"width\": 4"),
        Architecture.tiny.config.replacing("2.66", with: "1e308"),
        Architecture.tiny.config.replacing("2.66", with: "1e309"),
        Architecture.tiny.config.replacing("[1, 2, 4, 8]", with: "[1, 2, 4]"),
    ])
    func wrongConfigsAreRefused(config: String) {
        #expect(refusal { $0.metadata["config"] = config } != nil)
    }
}
