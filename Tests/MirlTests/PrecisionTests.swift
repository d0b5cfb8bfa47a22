// What a session in bf16 computes.
import Foundation
import Mirl
import MirlKernels
import MirlTestSupport
import Testing

@Suite struct PrecisionTests {
    /// Smooth shades with edges and some noise.
    func picture() -> Planar {
        var random = Random(seed: 5)
        let (height, width) = (72, 136)
        var values: [Float] = []
        for c in 0..<3 {
            for y in 0..<height {
                for x in 0..<width {
                    let shade = Float(x + y * (c + 1)) / 500 + Float((x / 20 + y / 16) % 2) / 5
                    values.append(shade + Float.random(in: 0...0.2, using: &random))
                }
            }
        }
        return Planar(height: height, width: width, values: values)
    }

    func output(
        _ model: Model, _ image: Planar, _ precision: Precision, task: Task = .auto, threads: Int = 1
    ) throws -> [Float] {
        try image.output(of: Session(model, threads: threads, precision: precision), task: task)
    }

    /// What is asked of the built-in networks and of the paper's, which MIRL_GOLDEN may name. The narrow random one
    /// stays below it.
    @Test(arguments: Task.allCases) func bf16IsAtLeast60DecibelsFromFP32(task: Task) throws {
        let models = [try Model.builtIn()] + (Golden.otherFolder == nil ? [] : [try Golden().model])
        for model in models {
            let exact = try output(model, picture(), .fp32, task: task)
            let rounded = try output(model, picture(), .bf16, task: task)
            let squares = zip(exact, rounded).reduce(0.0) { $0 + pow(Double($1.0 - $1.1), 2) }
            #expect(squares / Double(exact.count) < 1e-6)
            #expect(isSame(mirlk_bf16(Kernels.chosen).mix, Kernels.chosen.mix) || squares > 0)
        }
    }

    @Test func threadsDoNotChangeABit() throws {
        let model = try Model.builtIn(), alone = try output(model, picture(), .bf16)
        #expect(try output(model, picture(), .bf16, threads: 3) == alone)
    }
}

/// Whether two kernels are one.
func isSame<Kernel>(_ a: Kernel, _ b: Kernel) -> Bool {
    unsafeBitCast(a, to: Int.self) == unsafeBitCast(b, to: Int.self)
}
