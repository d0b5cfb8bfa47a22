// Under a memory limit, large images are restored in tiles that fade into each other.
import Mirl
import MirlTestSupport
import Testing

@Suite struct TileTests {
    let width = 336, height = 200

    /// A smooth picture with some noise.
    func picture() -> Planar {
        var random = Random(seed: 3)
        var values: [Float] = []
        for c in 0..<3 {
            for y in 0..<height {
                for x in 0..<width {
                    let field = Float((x * (c + 1) / 40 + y / 30) % 2)
                    values.append(0.35 + 0.3 * field + Float.random(in: -0.1...0.1, using: &random))
                }
            }
        }
        return Planar(height: height, width: width, values: values)
    }

    /// The restored samples, and the bytes of scratch memory that it took.
    func restored(limit: Int?, threads: Int = 1) throws -> (samples: [Float], bytes: Int) {
        var bytes = 0
        let allocator = Allocator(
            allocate: { size, alignment in
                bytes = max(bytes, size)
                return UnsafeMutableRawPointer.allocate(byteCount: size, alignment: alignment)
            }, deallocate: { block, _, _ in block.deallocate() })
        let session = try Session(try Model.builtIn(), threads: threads, allocator: allocator, memoryLimit: limit)
        let samples = try picture().withBuffer { buffer in
            try session.restore(buffer, into: buffer)
            let samples = buffer.data.assumingMemoryBound(to: Float.self)
            return (0..<3 * width * height).map { samples[$0] }
        }
        return (samples, bytes)
    }

    @Test func aLimitThatSufficesChangesNothing() throws {
        let whole = try restored(limit: nil)
        let limited = try restored(limit: whole.bytes)
        #expect(limited.samples == whole.samples)
    }

    @Test func tilesKeepToTheLimitAndComeCloseToTheWhole() throws {
        let whole = try restored(limit: nil), limit = whole.bytes * 9 / 10
        let tiled = try restored(limit: limit)
        #expect(tiled.bytes <= limit)
        #expect(tiled.samples != whole.samples)
        let error = zip(tiled.samples, whole.samples).reduce(0.0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) }
        #expect(error / Double(whole.samples.count) < 1e-4, "PSNR at least 40 dB")
    }

    /// Where tiles meet, the difference from the whole has no steps: no column of it is steeper than the others.
    @Test func tilesLeaveNoSeams() throws {
        let whole = try restored(limit: nil), tiled = try restored(limit: whole.bytes * 9 / 10)
        let difference = zip(tiled.samples, whole.samples).map { $0 - $1 }
        var steps = [Float](repeating: 0, count: width)
        for y in 0..<height {
            for i in 3 * y * width + 3..<3 * (y + 1) * width { steps[i / 3 % width] += abs(difference[i] - difference[i - 3]) }
        }
        #expect(steps.max()! < 4 * steps.reduce(0, +) / Float(width - 1))
    }

    @Test func aLimitThatNoTileCanKeepIsAnError() throws {
        #expect { try restored(limit: 1 << 20) } throws: { error in
            "\(error)".contains("more than the limit of 1048576")
        }
    }
}
