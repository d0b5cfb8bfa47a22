import ArgumentParser
import MirlImageIO

/// A format that the filter writes.
enum FileFormat: String, CaseIterable, ExpressibleByArgument {
    case png, jpeg, webp, tiff, ppm

    /// The format that a suffix, given without its dot, stands for; nil for one that is not written.
    init?(suffix: some StringProtocol) {
        switch suffix.lowercased() {
        case "png": self = .png
        case "jpg", "jpeg", "jpe", "jfif": self = .jpeg
        case "webp": self = .webp
        case "tif", "tiff": self = .tiff
        case "ppm", "pgm", "pnm": self = .ppm
        default: return nil
        }
    }

    init?(argument: String) { self.init(suffix: argument) }

    /// The usual suffix.
    var suffix: String {
        switch self {
        case .jpeg: "jpg"
        case .tiff: "tif"
        default: rawValue
        }
    }

    var hasQuality: Bool { self == .jpeg || self == .webp }

    /// The longest side that an image may have in this format.
    var longestSide: UInt32 {
        switch self {
        case .webp: 16383
        case .jpeg: 65500
        case .png, .tiff, .ppm: 65535
        }
    }

    var encoder: mirl_picture_format {
        switch self {
        case .png: MIRL_PICTURE_PNG
        case .jpeg: MIRL_PICTURE_JPEG
        case .webp: MIRL_PICTURE_WEBP
        case .tiff: MIRL_PICTURE_TIFF
        case .ppm: MIRL_PICTURE_PPM
        }
    }
}

/// A file's name without the folder, in two parts.
struct FileName {
    let stem: Substring
    /// Without its dot; nil where there is none, as in a name that only begins with a dot.
    let suffix: Substring?

    var whole: String { suffix.map { "\(stem).\($0)" } ?? String(stem) }

    init(of path: String) {
        let name = path.utf8.split(separator: UInt8(ascii: "/")).last.map(Substring.init) ?? ""
        if let dot = name.lastIndex(of: "."), dot > name.startIndex {
            (stem, suffix) = (name[..<dot], name[name.index(after: dot)...])
        } else {
            (stem, suffix) = (name, nil)
        }
    }
}
