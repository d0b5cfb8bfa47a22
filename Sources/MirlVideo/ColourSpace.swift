/// Between code values and colours: R, G, B and luma 0...1, Cb and Cr -0.5...0.5.
struct ColourSpace {
    /// The shares of red and blue in luma.
    let red, blue: Float
    /// Code values of luma 0 and of the way from 0 to 1.
    let lumaZero, lumaScale: Float
    /// The same for Cb and Cr.
    let chromaZero, chromaScale: Float

    /// Y4M names no matrix: ITU-R BT.709 for pictures above standard definition, else BT.601, as players assume.
    init(_ format: FrameFormat) {
        (red, blue) = Self.isHighDefinition(format) ? (0.2126, 0.0722) : (0.299, 0.114)
        let step = Float(1 << (format.depth - 8)), maximum = Float(format.maximum)
        (lumaZero, lumaScale) = format.isFullRange ? (0, maximum) : (16 * step, 219 * step)
        (chromaZero, chromaScale) = (128 * step, format.isFullRange ? maximum : 224 * step)
    }

    static func isHighDefinition(_ format: FrameFormat) -> Bool { format.width >= 1280 || format.height > 576 }

    var green: Float { 1 - red - blue }

    func rgb(luma: Float, cb: Float, cr: Float) -> (red: Float, green: Float, blue: Float) {
        let r = luma + 2 * (1 - red) * cr
        let b = luma + 2 * (1 - blue) * cb
        return (r, (luma - red * r - blue * b) / green, b)
    }

    /// The other way round; linear, so it serves differences too.
    func yuv(red r: Float, green g: Float, blue b: Float) -> (luma: Float, cb: Float, cr: Float) {
        let luma = red * r + green * g + blue * b
        return (luma, (b - luma) / (2 * (1 - blue)), (r - luma) / (2 * (1 - red)))
    }
}
