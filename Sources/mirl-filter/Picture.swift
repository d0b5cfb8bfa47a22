import Mirl
import MirlImageIO

/// A decoded picture that owns its pixels and metadata.
struct Picture: ~Copyable {
    private var picture: mirl_picture

    /// Decodes a file's bytes; messages call the file `place`.
    init(decoding bytes: borrowing Bytes, limit: UInt64, place: String) throws(Failure) {
        picture = mirl_picture()
        var message = mirl_picture_message()
        let status = mirl_picture_decode(bytes.data, bytes.count, limit, &picture, &message)
        guard status == MIRL_PICTURE_OK else {
            throw Failure(status == MIRL_PICTURE_BAD ? .input : .run, "\(place): \(string(of: message.text))")
        }
    }

    deinit {
        var picture = picture
        mirl_picture_free(&picture)
    }

    func encoded(as format: FileFormat) throws(Failure) -> Bytes {
        var file = mirl_bytes()
        var message = mirl_picture_message()
        let status = withUnsafePointer(to: picture) { mirl_picture_encode($0, format.encoder, &file, &message) }
        guard status == MIRL_PICTURE_OK else { throw Failure(.run, string(of: message.text)) }
        return Bytes(owning: file.data, count: file.size)
    }

    /// The pixels, to be restored in place.
    var buffer: ImageBuffer {
        let sample: PixelFormat.Sample = picture.sample_size == 1 ? .uint8 : .uint16
        let format = PixelFormat(sample, bands: Int(picture.bands))
        let (width, height) = (Int(picture.width), Int(picture.height))
        return ImageBuffer(
            format, width: width, height: height, stride: width * format.bytesPerPixel, data: picture.pixels)
    }

    /// One line of facts.
    var description: String {
        let kind = ["grey", "grey and alpha", "RGB", "RGB and alpha"][Int(picture.bands) - 1]
        var facts = "\(string(of: picture.origin.format)), \(picture.width)x\(picture.height), \(kind), \(picture.sample_size * 8) bits"
        let space = string(of: picture.origin.colour_space)
        if !space.isEmpty { facts += ", converted from \(space) to sRGB" }
        if picture.origin.orientation > 1 { facts += ", orientation \(picture.origin.orientation) applied" }
        if picture.origin.pages > 1 { facts += ", the first of \(picture.origin.pages) pages" }
        for (name, blob) in [("ICC", picture.icc), ("EXIF", picture.exif), ("XMP", picture.xmp)] where blob.size > 0 {
            facts += ", \(name) \(blob.size) bytes"
        }
        return facts
    }
}

/// The text in an array of C characters, up to its NUL.
private func string<Characters>(of characters: Characters) -> String {
    withUnsafeBytes(of: characters) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
}
