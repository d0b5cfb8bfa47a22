import ArgumentParser
import MirlFiles
import MirlWeights

/// mirl-weights info: what is in a weight file.
struct Info: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show what is in a weight file.")

    @Argument(help: "The weight file.", completion: .file(extensions: ["mirl"]))
    var file: String

    func run() throws {
        let weights: WeightFile
        do throws(WeightError) { weights = try WeightFile(path: file) } catch {
            throw fail(file, error.description, .badWeights)
        }
        let text = summary(of: weights) + "\n" + table(of: weights)
        do { try writeAll(Array(text.utf8), to: 1) } catch { throw fail("standard output", "\(error)", .writeFailed) }
    }
}

private func summary(of weights: WeightFile) -> String {
    let network = weights.architecture
    func list(_ numbers: [Int]) -> String { numbers.map(String.init).joined(separator: " ") }
    let tasks = Architecture.tasks.filter { weights.mixture(of: $0) != nil }
    let lines = [
        ("provenance", weights.provenance.isEmpty ? "not stated" : indented(weights.provenance.harmlessLines)),
        ("size", "\(weights.size) bytes"),
        ("width", "\(network.width)"),
        ("blocks", list(network.blocks) + ", refinement \(network.refinement)"),
        ("heads", list(network.heads) + ", prompt blocks \(network.promptHeads)"),
        ("expansion", "\(network.expansion)"),
        ("prompts", "\(network.promptComponents) components, channels \(list(network.promptChannels)), "
            + "sizes \(list(network.promptSizes))"),
        ("values", valueTypes(of: weights)),
        ("tasks to steer by", tasks.isEmpty ? "none" : tasks.joined(separator: " ")),
    ]
    return lines.map { $0.0.padded(to: column) + $0.1 + "\n" }.joined()
}

/// Where in a line what is said of a file begins.
private let column = 20

/// So that no line of the text passes for another line of the summary.
private func indented(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\n" + "".padded(to: column))
}

private func valueTypes(of weights: WeightFile) -> String {
    func name(_ tensor: String) -> String {
        switch weights.matrix(tensor)?.valueType {
        case .float32?: "fp32"
        case .float16?: "fp16"
        case .int8?: "int8"
        case nil: "none"
        }
    }
    return "\(name("output.weight")), prompts \(name("prompt1.prompt_param"))"
}

/// Counts over all tensors of a kind.
private struct Tally {
    var tensors = 0, values = 0, nonZero = 0, bytes = 0

    static func += (sum: inout Tally, other: Tally) {
        sum.tensors += other.tensors
        sum.values += other.values
        sum.nonZero += other.nonZero
        sum.bytes += other.bytes
    }

    init() {}

    init(_ matrix: Matrix) {
        tensors = 1
        values = matrix.rows * matrix.columns
        nonZero = (0..<matrix.count).reduce(0) { $0 + (matrix.value($1) == 0 ? 0 : 1) }
        bytes = matrix.payloadSize
    }

    var row: [String] {
        let zeros = (1000 * (values - nonZero) + values / 2) / max(values, 1)
        return ["\(tensors)", "\(values)", "\(zeros / 10).\(zeros % 10)%", "\(bytes)"]
    }
}

private func table(of weights: WeightFile) -> String {
    let kinds = ["1x1", "3x3", "depthwise", "linear", "prompt", "vector", "mixture"]
    var tallies: [String: Tally] = [:]
    var total = Tally()
    for spec in weights.tensors {
        guard let matrix = weights.matrix(spec.name) else { continue }
        let tally = Tally(matrix)
        tallies[spec.kind.title, default: Tally()] += tally
        total += tally
    }
    let rows = kinds.compactMap { kind in tallies[kind].map { [kind] + $0.row } }
    return ([["kind", "tensors", "values", "zeros", "bytes"]] + rows + [["all"] + total.row])
        .map { $0[0].padded(to: 12) + $0.dropFirst().map { $0.padded(to: -12) }.joined() + "\n" }.joined()
}

extension TensorSpec.Kind {
    fileprivate var title: String {
        switch self {
        case .pointwise: "1x1"
        case .conv3x3: "3x3"
        case .depthwise: "depthwise"
        case .linear: "linear"
        case .prompt: "prompt"
        case .vector, .temperature: "vector"
        case .mixture: "mixture"
        }
    }
}

extension String {
    /// With spaces behind up to `width`, or before up to `-width`.
    fileprivate func padded(to width: Int) -> String {
        let spaces = String(repeating: " ", count: max(abs(width) - count, 0))
        return width > 0 ? self + spaces : spaces + self
    }
}
