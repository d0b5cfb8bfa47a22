// Images of any size are padded to multiples of 8 and cut back.
import Mirl
import MirlTestSupport
import Testing

@Suite struct SizeTests {
    /// Right and bottom by reflection, or by repeating the edge where there is too little to reflect.
    func padded(_ image: Planar) -> Planar {
        func source(_ place: Int, _ size: Int) -> Int {
            if place < size { return place }
            return (size + 7) / 8 * 8 - size < size ? 2 * size - 2 - place : size - 1
        }
        let height = (image.height + 7) / 8 * 8, width = (image.width + 7) / 8 * 8
        let values = (0..<3).flatMap { c in
            (0..<height).flatMap { y in
                (0..<width).map { x in
                    image.values[(c * image.height + source(y, image.height)) * image.width + source(x, image.width)]
                }
            }
        }
        return Planar(height: height, width: width, values: values)
    }

    func restored(_ image: Planar, _ session: Session) throws -> [Float] {
        try image.withBuffer { buffer in
            try session.restore(buffer, into: buffer)
            let samples = buffer.floats, pixels = image.height * image.width
            return (0..<3).flatMap { c in (0..<pixels).map { samples[3 * $0 + c] } }
        }
    }

    @Test(arguments: [(1, 1), (7, 5), (9, 31), (1, 500), (500, 1), (8, 8), (64, 65), (130, 17), (3, 300)])
    func anImageIsRestoredAsPartOfItsPaddedSelf(height: Int, width: Int) throws {
        var random = Random(seed: 1)
        let values = (0..<3 * height * width).map { _ in Float.random(in: 0...1, using: &random) }
        let image = Planar(height: height, width: width, values: values)
        let session = try Session(try Golden().model, threads: 2)
        let result = try restored(image, session)
        #expect(result == image.cropped(try restored(padded(image), session)))
        #expect(result != image.values)
    }
}
