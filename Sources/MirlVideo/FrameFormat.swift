/// How the samples of a frame lie: planes of luma, Cb, Cr and alpha, one after another, without gaps.
public struct FrameFormat: Equatable, Sendable {
    /// Pixels of luma.
    public var width: Int
    public var height: Int
    /// Bits of a sample, 8 in one byte, 9...16 in two, low byte first.
    public var depth = 8
    /// nil for grey.
    public var chroma: Chroma?
    public var hasAlpha = false
    /// Luma 0...2^depth-1 rather than 16...235 (times 2^(depth-8)).
    public var isFullRange = false

    var bytesPerSample: Int { depth > 8 ? 2 : 1 }
    /// The largest sample.
    var maximum: Int { 1 << depth - 1 }
    /// R, G and B, or grey alone.
    public var bands: Int { chroma == nil ? 1 : 3 }

    struct Plane {
        let width, height: Int
    }

    var planes: [Plane] {
        let luma = Plane(width: width, height: height)
        guard let chroma else { return [luma] }
        let colour = Plane(width: chroma.horizontal.count(along: width), height: chroma.vertical.count(along: height))
        return [luma, colour, colour] + (hasAlpha ? [luma] : [])
    }

    /// Bytes of a frame.
    public var frameSize: Int { planes.reduce(0) { $0 + $1.width * $1.height } * bytesPerSample }

    var colourSpace: ColourSpace { ColourSpace(self) }
}

/// How chroma samples lie among those of luma.
public struct Chroma: Equatable, Sendable {
    let horizontal, vertical: ChromaAxis
}

/// Chroma along one axis: a sample for every `factor` pixels, the first `offset` pixels from the first pixel's centre.
struct ChromaAxis: Equatable, Sendable {
    let factor: Int
    let offset: Float

    static let full = ChromaAxis(factor: 1, offset: 0)
    /// On the first pixel of each pair.
    static let cosited = ChromaAxis(factor: 2, offset: 0)
    /// Between the pixels of each pair.
    static let centred = ChromaAxis(factor: 2, offset: 0.5)

    /// Samples along `pixels`.
    func count(along pixels: Int) -> Int { (pixels + factor - 1) / factor }
}
