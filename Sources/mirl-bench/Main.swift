// Times the engine: mirl-bench WEIGHTS THREADS WIDTHxHEIGHT...
import Glibc
import Mirl

func seconds() -> Double {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
}

func fail(_ message: String) -> Never {
    let line = "mirl-bench: \(message)\n"
    write(STDERR_FILENO, line, line.utf8.count)
    exit(64)
}

/// A picture of noise over a gradient, the same for every run.
func picture(_ width: Int, _ height: Int) -> [UInt8] {
    var state: UInt32 = 1
    return (0..<width * height * 3).map { i in
        state = state &* 1_664_525 &+ 1_013_904_223
        return UInt8(truncatingIfNeeded: (i / 3 % width) * 192 / width + Int(state >> 26))
    }
}

let arguments = CommandLine.arguments
guard arguments.count > 3, let threads = Int(arguments[2]) else { fail("WEIGHTS THREADS WIDTHxHEIGHT... expected") }
let opening = try (0..<50).map { _ in
    let begin = seconds()
    _ = try Model.open(path: arguments[1])
    return seconds() - begin
}.sorted()
print("open, all checks: best \(opening[0] * 1e3) ms, median \(opening[25] * 1e3) ms")
let model = try Model.open(path: arguments[1])
let session = try Session(model, threads: threads)
for size in arguments[3...] {
    let sides = size.split(separator: "x").compactMap { Int($0) }
    guard sides.count == 2, let bytes = model.memoryEstimate(width: sides[0], height: sides[1], threads: threads) else {
        fail("\(size): not a size")
    }
    var pixels = picture(sides[0], sides[1])
    var times: [Double] = []
    while times.count < 3 || (times.reduce(0, +) < 2 && times.count < 20) {
        try pixels.withUnsafeMutableBytes {
            let image = ImageBuffer(
                PixelFormat(.uint8, bands: 3), width: sides[0], height: sides[1], stride: 3 * sides[0],
                data: $0.baseAddress!)
            let start = seconds()
            try session.restore(image, into: image)
            times.append(seconds() - start)
        }
    }
    let best = times.min()!, megapixels = Double(sides[0] * sides[1]) / 1e6
    print("\(size) \(threads) threads: \(best * 1e3) ms, \(best / megapixels) s/MP, scratch \(bytes >> 20) MiB")
}
