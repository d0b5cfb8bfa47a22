import ArgumentParser
import MirlImageIO

/// A format that the filter writes.
enum FileFormat: String, CaseIterable, ExpressibleByArgument {
    case png, jpeg, webp, tiff, ppm

    /// The format that a file's name asks for: PNG without a suffix, nil for one that is not known here.
    init?(suffixOf path: String) {
        let name = path.split(separator: "/").last ?? ""
        guard let dot = name.lastIndex(of: "."), dot > name.startIndex else {
            self = .png
            return
        }
        switch name[name.index(after: dot)...].lowercased() {
        case "png": self = .png
        case "jpg", "jpeg": self = .jpeg
        case "webp": self = .webp
        case "tif", "tiff": self = .tiff
        case "ppm", "pgm", "pnm": self = .ppm
        default: return nil
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
