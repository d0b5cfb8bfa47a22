import Foundation

/// A picture with something different in every pixel, as PNM.
func picture(width: Int = 19, height: Int = 13, bands: Int = 3, maximum: Int = 255) -> Data {
    var file = Data("P\(bands == 3 ? 6 : 5)\n\(width) \(height)\n\(maximum)\n".utf8)
    for index in 0..<(width * height * bands) {
        let sample = (index * 7919 + index / width * 104729) % (maximum + 1)
        if maximum > 255 { file.append(UInt8(sample >> 8)) }
        file.append(UInt8(sample & 255))
    }
    return file
}

/// EXIF with an orientation, an artist, and the sides of the picture as a camera writes them.
func exif(orientation: UInt8, width: UInt8 = 19, height: UInt8 = 13) -> Data {
    let header: [UInt8] = Array("MM".utf8) + [0, 42, 0, 0, 0, 8]
    let orientationEntry: [UInt8] = [0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0]
    let artistEntry: [UInt8] = [0x01, 0x3B, 0, 2, 0, 0, 0, 4] + Array("Ada\0".utf8)
    let moreEntry: [UInt8] = [0x87, 0x69, 0, 4, 0, 0, 0, 1, 0, 0, 0, 50]
    let noMoreDirectories: [UInt8] = [0, 0, 0, 0]
    let widthEntry: [UInt8] = [0xA0, 0x02, 0, 4, 0, 0, 0, 1, 0, 0, 0, width]
    let heightEntry: [UInt8] = [0xA0, 0x03, 0, 3, 0, 0, 0, 1, 0, height, 0, 0]
    return Data(
        header + [0, 3] + orientationEntry + artistEntry + moreEntry + noMoreDirectories
            + [0, 2] + widthEntry + heightEntry + noMoreDirectories)
}

func xmp(orientation: Int) -> Data {
    Data(
        """
        <?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF \
        xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description \
        xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="\(orientation)"/></rdf:RDF></x:xmpmeta>\
        <?xpacket end="w"?>
        """.utf8)
}

/// Puts EXIF and XMP into a JPEG, right after its first marker.
func adding(exif: Data, xmp: Data, toJPEG file: Data) -> Data {
    func segment(_ head: String, _ body: Data) -> Data {
        let size = 2 + head.utf8.count + body.count
        return Data([0xFF, 0xE1, UInt8(size >> 8), UInt8(size & 255)]) + Data(head.utf8) + body
    }
    let segments = segment("Exif\0\0", exif) + segment("http://ns.adobe.com/xap/1.0/\0", xmp)
    return file.prefix(2) + segments + file.dropFirst(2)
}

/// A PNG chunk with its length and checksum.
func chunk(_ type: String, _ body: Data = Data()) -> Data {
    func bigEndian(_ value: UInt32) -> Data { withUnsafeBytes(of: value.bigEndian) { Data($0) } }
    let checked = Data(type.utf8) + body
    var crc = UInt32.max
    for byte in checked {
        crc ^= UInt32(byte)
        for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
    }
    return bigEndian(UInt32(body.count)) + checked + bigEndian(~crc)
}

/// A PNG header that promises RGB of this size, and no pixels.
func emptyPNG(width: UInt16, height: UInt16) -> Data {
    func side(_ value: UInt16) -> [UInt8] { [0, 0, UInt8(value >> 8), UInt8(value & 255)] }
    return Data([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
        + chunk("IHDR", Data(side(width) + side(height) + [8, 2, 0, 0, 0])) + chunk("IDAT") + chunk("IEND")
}
