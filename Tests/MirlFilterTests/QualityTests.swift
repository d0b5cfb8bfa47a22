import Foundation
import MirlTestSupport
import Testing

/// The built-in weights restore what they are for, with the task named and by themselves.
struct QualityTests {
    let place = try! Workplace()
    /// The demo's landscape, 481x321, without and with rain.
    let clean, rainy: [UInt8]

    init() throws {
        let outcome = try place.shell(
            """
            cc -O2 -o render '\(ManualTests.sources.appending(path: "examples/demo/render.c").path)' -lm && ./render .
            """)
        #expect(outcome.status == 0, "\(outcome.errors)")
        clean = try [UInt8](place.read("clean.ppm").suffix(481 * 321 * 3))
        rainy = try [UInt8](place.read("rainy.ppm").suffix(481 * 321 * 3))
    }

    private func degraded(for task: String) -> [UInt8] {
        switch task {
        case "derain": return rainy
        case "dehaze":  // the further up, the further away
            return clean.enumerated().map { i, sample in
                let t = exp(1.2 * (Float(i / (481 * 3)) / 320 - 1))
                return UInt8(t * Float(sample) + (1 - t) * 0.9 * 255)
            }
        default:
            var random = Random(seed: 7)
            return clean.map { sample in
                let gaussian = (0..<12).reduce(-6) { sum, _ in sum + Float.random(in: 0..<1, using: &random) }
                return UInt8(min(max(Float(sample) + 25 * gaussian, 0), 255))
            }
        }
    }

    /// What -v says of the picture, and how near to the clean one it is before and after, in dB.
    private func restored(
        _ samples: [UInt8], _ task: String
    ) throws -> (report: String, before: Double, after: Double) {
        let file = Data("P6\n481 321\n255\n".utf8) + samples
        let outcome = try place.filter("-v", "--task", task, "--format", "ppm", input: file)
        #expect(outcome.status == 0)
        return (outcome.errors, psnr(samples), psnr([UInt8](outcome.output.suffix(samples.count))))
    }

    private func psnr(_ samples: [UInt8]) -> Double {
        let squares = zip(samples, clean).reduce(0.0) { $0 + pow(Double($1.0) - Double($1.1), 2) }
        return 10 * log10(255 * 255 * Double(samples.count) / squares)
    }

    @Test(arguments: ["denoise", "derain", "dehaze"])
    func `a picture gains 8 dB, whether the task is named or not`(task: String) throws {
        let picture = degraded(for: task), named = try restored(picture, task), auto = try restored(picture, "auto")
        #expect(named.after > named.before + 8)
        #expect(auto.after > auto.before + 8)
        #expect(auto.report.contains("took the weights for \(task)"))
    }

    @Test func `a clean picture stays as it is`() throws {
        #expect(try restored(clean, "auto").after > 45)
    }
}
