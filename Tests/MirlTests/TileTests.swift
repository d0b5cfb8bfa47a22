// Under a memory limit, large images are restored in tiles that fade into each other.
import Mirl
import MirlTestSupport
import Testing

@Suite struct TileTests {
    let width = 531, height = 389

    /// A smooth picture with some noise.
    func picture() -> Planar {
        var random = Random(seed: 3)
        let values = (0..<3).flatMap { c in
            (0..<height).flatMap { y in
                (0..<width).map { x in
                    0.5 + 0.3 * Float((x * (c + 1) / 40 + y / 30) % 2) - 0.15 + Float.random(in: -0.1...0.1, using: &random)
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
        let session = try Session(try Golden().model, threads: threads, allocator: allocator, memoryLimit: limit)
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
        let whole = try restored(limit: nil), limit = whole.bytes * 3 / 4
        let tiled = try restored(limit: limit)
        #expect(tiled.bytes <= limit)
        #expect(tiled.samples != whole.samples)
        let error = zip(tiled.samples, whole.samples).reduce(0.0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) }
        #expect(error / Double(whole.samples.count) < 1e-4, "PSNR at least 40 dB")
    }

    /// Also where tiles meet: neighbouring pixels of the difference from the whole differ little.
    @Test func tilesLeaveNoSeams() throws {
        let whole = try restored(limit: nil), tiled = try restored(limit: whole.bytes * 3 / 4)
        let difference = zip(tiled.samples, whole.samples).map { $0 - $1 }
        var steepest: Float = 0
        for y in 0..<height {
            for x in 1..<width {
                for c in 0..<3 {
                    let i = (y * width + x) * 3 + c
                    steepest = max(steepest, abs(difference[i] - difference[i - 3]))
                }
            }
        }
        #expect(steepest < 0.02)
    }

    @Test func threadsDoNotChangeTiles() throws {
        // As much memory for each thread more, so that the tiles are the same.
        let limit = try restored(limit: nil).bytes * 3 / 4
        let more = try restored(limit: nil, threads: 2).bytes - restored(limit: nil).bytes
        #expect(try restored(limit: limit + more, threads: 2).samples.count == 3 * width * height)
    }

    @Test func aLimitThatNoTileCanKeepIsAnError() throws {
        #expect { try restored(limit: 1 << 20) } throws: { error in
            "\(error)".contains("more than the limit of 1048576")
        }
    }
}
