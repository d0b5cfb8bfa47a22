import ArgumentParser
import MirlFiles
import MirlPacking
import MirlTestSupport
import MirlWeights

/// Makes weights to measure with where trained ones are not at hand: the paper's network, as sparse as MIR-L's.
struct RandomWeights: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "random-weights",
        abstract: "Write a weight file of the paper's network with random weights, as sparse as MIR-L's.",
        discussion: """
            3% of the 1x1 and 3x3 convolutions, 31% of the depthwise ones and all of the prompts are not zero, 10% of
            the parameters. Prompts have 8 bits a value, other values 16. The same seed gives the same file.
            """)

    @Argument(help: "The file to write.", completion: .file(extensions: ["mirl"])) var file: String
    @Option(help: "Seed of the random numbers.") var seed: UInt64 = 1

    func run() throws {
        let checkpoint = safetensors(of: Architecture(), seed: seed)
        let weights = try checkpoint.withUnsafeBytes {
            try pack(
                safetensors: $0,
                PackOptions(
                    values: .float16, prompts: .int8, provenance: "Random weights of seed \(seed), not trained."))
        }
        do { try writeFile(file, weights) } catch { throw ValidationError("\(file): \(error)") }
    }
}

/// A safetensors file in half precision.
private func safetensors(of architecture: Architecture, seed: UInt64) -> [UInt8] {
    var random = Random(seed: seed)
    var members: [String] = []
    var data: [UInt8] = []
    for spec in architecture.tensors {
        let values = randomValues(of: spec, &random), start = data.count
        values.withUnsafeBytes { data.append(contentsOf: $0) }
        members.append(
            "\"\(spec.name)\": {\"dtype\": \"F16\", \"shape\": \(spec.shape), "
                + "\"data_offsets\": [\(start), \(data.count)]}")
    }
    let header = Array("{\(members.joined(separator: ", "))}".utf8)
    return withUnsafeBytes(of: UInt64(header.count).littleEndian) { Array($0) } + header + data
}

/// Values with which activations stay near 1.
private func randomValues(of spec: TensorSpec, _ random: inout Random) -> [Float16] {
    let density =
        switch spec.kind {
        case .pointwise, .conv3x3: 0.03
        case .depthwise, .linear: 0.31
        case .prompt, .vector, .temperature, .mixture: 1.0
        }
    // Uniform values of variance 1 over the expected number of terms; the last layer's less, as it corrects an image.
    let variance = spec.name == "output.weight" ? 0.01 : 1
    let spread = (3 * variance / (Double(spec.columns) * density)).squareRoot()
    return (0..<spec.rows * spec.columns).map { _ in
        switch spec.kind {
        case .prompt: Float16(Double.random(in: 0..<1, using: &random))
        case .temperature: 1
        case .vector where spec.name.hasSuffix("weight"): Float16(Double.random(in: 0.6...1.4, using: &random))
        case .vector: Float16(Double.random(in: -0.2...0.2, using: &random))
        default:
            Double.random(in: 0..<1, using: &random) < density
                ? Float16(Double.random(in: -spread...spread, using: &random)) : 0
        }
    }
}
