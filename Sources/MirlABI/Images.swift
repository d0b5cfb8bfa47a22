// Turns a caller's mirl_image into an ImageBuffer that is safe to walk, or says what is wrong with it.
import CMirl
import Mirl

private let sides: ClosedRange<UInt32> = 1...65535

func readImage(_ pointer: UnsafePointer<mirl_image>?, _ name: String) throws(MirlError) -> ImageBuffer {
    let image = try read(given(pointer, name), name)
    guard let format = PixelFormat(image.format) else { throw .argument("\(name): unknown format \(image.format)") }
    guard sides.contains(image.width), sides.contains(image.height) else {
        throw .argument("\(name): \(image.width)x\(image.height) pixels, each side must be \(sides.lowerBound) to \(sides.upperBound)")
    }
    let buffer = try ImageBuffer(
        format, width: Int(image.width), height: Int(image.height), stride: image.stride,
        data: given(image.data, "\(name): data"))
    try checkLayout(buffer, name)
    return buffer
}

/// Rows must not overlap, samples must be aligned, and the last byte must still be in the address space.
private func checkLayout(_ image: ImageBuffer, _ name: String) throws(MirlError) {
    let sample = image.format.sample.rawValue
    // A size_t beyond Int.max arrives here as a negative number.
    guard image.stride >= image.rowBytes else {
        throw .argument("\(name): stride is \(UInt(bitPattern: image.stride)), a row takes \(image.rowBytes) bytes")
    }
    guard image.stride.isMultiple(of: sample), Int(bitPattern: image.data).isMultiple(of: sample) else {
        throw .argument("\(name): data and stride must be multiples of \(sample), the bytes of a sample")
    }
    let (rows, tooLarge) = image.stride.multipliedReportingOverflow(by: image.height - 1)
    let (bytes, tooLong) = rows.addingReportingOverflow(image.rowBytes)
    let (_, beyond) = UInt(bitPattern: image.data).addingReportingOverflow(UInt(bitPattern: bytes))
    guard !tooLarge, !tooLong, !beyond else {
        throw .argument("\(name): \(image.height) rows of \(image.stride) bytes do not fit in memory")
    }
}

/// Two images may share memory exactly or not at all.
func checkPair(_ input: ImageBuffer, _ output: ImageBuffer) throws(MirlError) {
    guard input.width == output.width, input.height == output.height else {
        throw .argument(
            "output: \(output.width)x\(output.height) pixels, the input has \(input.width)x\(input.height)")
    }
    guard input.format == output.format else { throw .argument("output: its format is not the input's") }
    guard input.isApart(from: output) || (input.data == output.data && input.stride == output.stride) else {
        throw .argument("output: overlaps the input in part")
    }
}

extension ImageBuffer {
    fileprivate var rowBytes: Int { width * format.bytesPerPixel }

    private var extent: Range<UInt> {
        let start = UInt(bitPattern: data)
        return start..<start + UInt(stride * (height - 1) + rowBytes)
    }

    /// Whether no byte belongs to a row of both; two images may lie side by side in the rows of a larger one.
    fileprivate func isApart(from other: ImageBuffer) -> Bool {
        if !extent.overlaps(other.extent) { return true }
        guard stride == other.stride else { return false }
        let (low, high) = (min(extent.lowerBound, other.extent.lowerBound), max(extent.lowerBound, other.extent.lowerBound))
        let shift = Int((high - low) % UInt(stride))
        return shift >= rowBytes && stride - shift >= rowBytes
    }
}

extension PixelFormat {
    /// The header numbers the formats sample by sample: first four band counts each, then two with blue first.
    init?(_ format: mirl_format) {
        let samples: [Sample] = [.uint8, .uint16, .float]
        switch format {
        case MIRL_GREY8...MIRL_RGBAF:
            let (sample, bands) = Int(format - MIRL_GREY8).quotientAndRemainder(dividingBy: 4)
            self.init(samples[sample], bands: bands + 1)
        case MIRL_BGR8...MIRL_BGRAF:
            let (sample, alpha) = Int(format - MIRL_BGR8).quotientAndRemainder(dividingBy: 2)
            self.init(samples[sample], bands: 3 + alpha, isBGR: true)
        default: return nil
        }
    }
}
