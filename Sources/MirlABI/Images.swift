// A caller's mirl_image as an ImageBuffer; whether that can be, Mirl checks.
import CMirl
import Mirl

func readImage(_ pointer: UnsafePointer<mirl_image>?, _ name: String) throws(MirlError) -> ImageBuffer {
    let image = try read(given(pointer, name), name)
    guard let format = PixelFormat(image.format) else { throw .argument("\(name): unknown format \(image.format)") }
    return try ImageBuffer(
        format, width: Int(image.width), height: Int(image.height), stride: image.stride,
        data: given(image.data, "\(name): data"))
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
