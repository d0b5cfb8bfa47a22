import Mirl
import MirlImageIO

/// A decoded picture that owns its pixels and metadata.
struct Picture: ~Copyable {
    private var picture: mirl_picture
    private var isRepeated = false

    /// Decodes a file's bytes; messages call the file `place`.
    init(decoding bytes: UnsafeRawBufferPointer, limit: UInt64, place: String) throws(Failure) {
        var picture = mirl_picture()
        try checked(place) { mirl_picture_decode(bytes.baseAddress, bytes.count, limit, &picture, &$0) }
        self.picture = picture
    }

    deinit {
        var picture = picture
        mirl_picture_free(&picture)
    }

    mutating func strip() { mirl_picture_strip(&picture) }

    /// Sets the picture beside itself, so that the right one can be restored.
    mutating func repeatBeside(place: String) throws(Failure) {
        try checked(place) { mirl_picture_repeat(&picture, &$0) }
        isRepeated = true
    }

    /// Throws if the format has a limit that the picture, as wide as it is now, exceeds.
    func check(fits format: FileFormat, place: String) throws(Failure) {
        guard max(picture.width, picture.height) > format.longestSide else { return }
        let most = "\(format.rawValue) takes at most \(format.longestSide) on a side"
        throw Failure(.run, "\(place): \(picture.width)x\(picture.height) pixels: \(most)")
    }

    /// `quality` is 1...100, where the format has one.
    func encoded(as format: FileFormat, quality: Int?, place: String) throws(Failure) -> Bytes {
        var file = mirl_bytes()
        try checked(place) { message in
            withUnsafePointer(to: picture) {
                mirl_picture_encode($0, format.encoder, UInt32(quality ?? 95), &file, &message)
            }
        }
        return Bytes(owning: file.data, count: file.size)
    }

    /// The pixels that are to be restored in place.
    var restored: ImageBuffer {
        let sample: PixelFormat.Sample = picture.sample_size == 1 ? .uint8 : .uint16
        let format = PixelFormat(sample, bands: Int(picture.bands))
        let (width, height) = (Int(picture.width), Int(picture.height))
        let row = width * format.bytesPerPixel
        return ImageBuffer(
            format, width: isRepeated ? width / 2 : width, height: height, stride: row,
            data: picture.pixels + (isRepeated ? row / 2 : 0))
    }

    /// One line of facts.
    var description: String {
        let kind = ["grey", "grey and alpha", "RGB", "RGB and alpha"][Int(picture.bands) - 1]
        let size = "\(picture.width)x\(picture.height)"
        var facts = "\(string(of: picture.origin.format)), \(size), \(kind), \(picture.sample_size * 8) bits"
        let space = string(of: picture.origin.colour_space)
        if !space.isEmpty { facts += ", converted from \(space) to sRGB" }
        if picture.origin.orientation > 1 { facts += ", orientation \(picture.origin.orientation) applied" }
        if picture.origin.pages > 1 { facts += ", the first of \(picture.origin.pages) pages" }
        let blobs = [("ICC", picture.icc), ("EXIF", picture.exif), ("XMP", picture.xmp), ("IPTC", picture.iptc)]
        for (name, blob) in blobs where blob.size > 0 {
            facts += ", \(name) \(blob.size) bytes"
        }
        return facts
    }
}

/// The text in an array of C characters, up to its NUL.
private func string<Characters>(of characters: Characters) -> String {
    withUnsafeBytes(of: characters) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
}

/// Turns what the C functions say into a failure of `place`.
func checked(_ place: String, _ call: (inout mirl_picture_message) -> mirl_picture_status) throws(Failure) {
    var message = mirl_picture_message()
    let status = call(&message)
    if status == MIRL_PICTURE_OK { return }
    throw Failure(status == MIRL_PICTURE_BAD ? .input : .run, "\(place): \(string(of: message.text))")
}
