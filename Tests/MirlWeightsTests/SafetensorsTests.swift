import MirlPacking
import MirlTestSupport
import MirlWeights
import Testing

/// Hostile safetensors files are refused, and never crash.
struct SafetensorsTests {
    private func refusal(_ bytes: [UInt8]) -> String? {
        do {
            _ = try bytes.withUnsafeBytes { try pack(safetensors: $0, PackOptions(values: .float32)) }
            return nil
        } catch {
            return "\(error)"
        }
    }

    @Test(arguments: [
        ("begins at byte 4, expected 0", #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#),
        ("tensors end at byte 4 of 8", #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#),
        (
            "begins at byte 0, expected 8",
            #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"#
                + #""b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#
        ),
        ("do not lie in the file", #"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}"#),
        ("do not lie in the file", #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}"#),
        ("do not lie in the file", #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}}"#),
        ("do not make", #"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}"#),
        ("short list of sizes", #"{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}}"#),
        ("do not make", #"{"a":{"dtype":"F32","shape":[4503599627370496,4503599627370496],"data_offsets":[0,8]}}"#),
        ("short list of sizes", #"{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}"#),
        ("short list of sizes", #"{"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,2],"data_offsets":[0,8]}}"#),
        ("short list of sizes", #"{"a":{"dtype":"F32","shape":2,"data_offsets":[0,8]}}"#),
        ("dtype is not", #"{"a":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}}"#),
        ("and nothing else", #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":0}}"#),
        ("and nothing else", #"{"a":7}"#),
        ("repeated", #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"\u0061":0}"#),
        ("__metadata__", #"{"__metadata__":{"config":7}}"#),
        ("not a JSON object", "[]"),
        ("value expected", ""),
        ("text after the end", "{} x"),
        ("lone surrogate", #"{"\ud800":0}"#),
        ("control character", "{\"a\nb\":0}"),
        ("nested too deeply", #"{"a":"# + String(repeating: "[", count: 100_000)),
        ("value expected", #"{"a":01}"#),
        ("number out of range", #"{"a":1e999}"#),
        ("expected", #"{"a":tru}"#),
    ])
    func hostileHeadersAreRefused(expected: String, header: String) throws {
        let reason = try #require(refusal(Checkpoint.file(header: header, data: Array(repeating: 0, count: 8))))
        #expect(reason.contains(expected), "\(reason)")
    }

    @Test func hostileHeaderLengthsAreRefused() {
        for length in [UInt64(1), 100_000_001, 1 << 63, .max] {
            let bytes = withUnsafeBytes(of: length.littleEndian) { Array($0) }
            #expect(refusal(bytes)?.hasPrefix("no safetensors file, or cut short: header length is") == true)
        }
        #expect(refusal([1, 2, 3]) != nil)
        #expect(refusal([]) != nil)
    }

    @Test func everyTruncationIsRefused() {
        let bytes = Checkpoint(.tiny).safetensors
        for length in stride(from: 0, to: bytes.count, by: 509) {
            #expect(refusal(Array(bytes.prefix(length))) != nil, "\(length) bytes")
        }
    }

    @Test func randomDamageNeverCrashes() {
        var random = Random(seed: 6)
        let bytes = Checkpoint(.tiny).safetensors
        let header = 8 + Int(bytes.integer(at: 0, as: UInt64.self))
        for _ in 0..<300 {
            var damaged = bytes
            for _ in 0..<3 {
                damaged[Int.random(in: 0..<header, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            _ = refusal(damaged)
        }
    }
}
