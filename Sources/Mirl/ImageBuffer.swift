/// How the samples of an image lie in memory: interleaved, in host byte order.
public struct PixelFormat: Equatable, Sendable {
    /// The raw value is the size in bytes.
    public enum Sample: Int, Sendable {
        /// 0...255
        case uint8 = 1
        /// 0...65535
        case uint16 = 2
        /// 0...1
        case float = 4
    }

    public var sample: Sample
    /// 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha.
    public var bands: Int
    /// Whether blue comes first and red third, where there are colours.
    public var isBGR: Bool

    public init(_ sample: Sample, bands: Int, isBGR: Bool = false) {
        self.sample = sample
        self.bands = bands
        self.isBGR = isBGR
    }

    public var bytesPerPixel: Int { sample.rawValue * bands }
    /// Bands that are restored: all but alpha.
    var colours: Int { bands < 3 ? 1 : 3 }

    /// The band that holds red (0), green (1) or blue (2); the one there is, if all are grey.
    func band(of colour: Int) -> Int { bands < 3 ? 0 : isBGR ? 2 - colour : colour }
}

/// An image in the caller's memory: `height` rows of `width` pixels, `stride` bytes apart.
public struct ImageBuffer {
    public var format: PixelFormat
    public var width: Int
    public var height: Int
    public var stride: Int
    public var data: UnsafeMutableRawPointer

    public init(_ format: PixelFormat, width: Int, height: Int, stride: Int, data: UnsafeMutableRawPointer) {
        self.format = format
        self.width = width
        self.height = height
        self.stride = stride
        self.data = data
    }

    var rowBytes: Int { width * format.bytesPerPixel }

    func row(_ y: Int) -> UnsafeMutableRawPointer { data + y * stride }
}
