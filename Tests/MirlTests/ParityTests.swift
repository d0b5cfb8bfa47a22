// The engine computes what the PyTorch network computes.
import Foundation
import Mirl
import Testing

@Suite struct ParityTests {
    let golden = try! Golden()

    /// Values are near 1 and sums a few hundred terms long; measured differences are below 1e-5.
    static let tolerance: Float = 1e-4

    func output(_ image: Planar, task: Mirl.Task = .auto, threads: Int = 2, kernels: String) throws -> [Float] {
        let session = try Session(golden.model, threads: threads, kernels: kernels)
        return try image.cropped(image.output(of: session, task: task))
    }

    @Test func thereAreGoldenImages() { #expect(golden.sizes.count > (Golden.otherFolder == nil ? 4 : 0)) }

    @Test(arguments: Kernels.names) func outputsMatchAtEverySize(kernels: String) throws {
        for size in golden.sizes {
            let result = try output(golden.image("x_" + size), kernels: kernels)
            #expect(largestDifference(result, golden.values("y_" + size)) < Self.tolerance, "\(size)")
        }
    }

    @Test(arguments: Kernels.names) func everyStageMatches(kernels: String) throws {
        let pixels = golden.values("act.output").count
        let image = golden.sizes.map { golden.image("x_" + $0) }.first { $0.values.count == pixels }!
        let session = try Session(golden.model, threads: 2, kernels: kernels)
        var seen: [String: [Float]] = [:]
        try image.withBuffer { try session.trace($0) { name, values in seen[name] = values } }
        seen["output"] = zip(seen["output"]!, image.values).map { $0 - $1 }
        #expect(golden.activations.count > 10)
        for name in golden.activations {
            #expect(largestDifference(seen[name]!, golden.values("act." + name)) < Self.tolerance, "\(name)")
        }
    }

    @Test(.enabled(if: Golden.otherFolder == nil)) func steeringUsesTheTasksMixture() throws {
        let steered = try output(golden.image("x_16x24"), task: .derain, kernels: Kernels.names[0])
        #expect(largestDifference(steered, golden.values("y_derain_16x24")) < Self.tolerance)
        #expect(largestDifference(steered, golden.values("y_16x24")) > Self.tolerance)
    }

    @Test(arguments: Kernels.names) func threadsDoNotChangeABit(kernels: String) throws {
        for size in golden.sizes {
            let image = golden.image("x_" + size)
            let alone = try output(image, threads: 1, kernels: kernels)
            for threads in [2, 3, 7] {
                #expect(try output(image, threads: threads, kernels: kernels) == alone, "\(size), \(threads) threads")
            }
        }
    }
}
