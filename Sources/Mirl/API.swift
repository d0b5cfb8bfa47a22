import MirlWeights

/// What can go wrong while restoring, each with one line that names the place.
public enum MirlError: Error, Equatable, Sendable {
    case argument(String)
    case memory(String)
    case io(String)
    case weights(String)
    case cancelled
    case system(String)
}

/// The degradation to remove.
public enum Task: String, CaseIterable, Sendable {
    /// The network sees for itself what is wrong.
    case auto
    case denoise, derain, dehaze
}

/// How the samples of an image lie in memory: interleaved, in host byte order.
public struct PixelFormat: Equatable, Sendable {
    public enum Sample: Int, Sendable {
        /// 0..255, 0..65535, 0..1
        case uint8 = 1
        case uint16 = 2
        case float = 4
    }

    public var sample: Sample
    /// 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha.
    public var bands: Int

    public init(_ sample: Sample, bands: Int) {
        self.sample = sample
        self.bands = bands
    }

    public var bytesPerPixel: Int { sample.rawValue * bands }
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
}

/// An open weight file with its network; immutable, shared by any number of sessions and threads.
public final class Model: Sendable {
    /// Maps and checks the weight file at `path`.
    public static func open(path: String) throws(MirlError) -> Model { fatalError("under construction") }
    /// Checks and copies a weight file that lies in memory.
    public static func open(copying bytes: UnsafeRawBufferPointer) throws(MirlError) -> Model { fatalError("under construction") }
    /// The weights built into the library.
    public static func builtIn() throws(MirlError) -> Model { fatalError("under construction") }

    /// The scratch memory, in bytes, that a session takes to restore an image of this size; nil if the size cannot be.
    public func memoryEstimate(width: Int, height: Int, threads: Int) -> Int? { fatalError("under construction") }
    init() {}
}

/// Restores images one after another, owning all scratch memory; serves one thread at a time.
public final class Session {
    /// `threads` 0 means as many as the process may use; the result never depends on it.
    public init(_ model: Model, threads: Int = 0) throws(MirlError) { fatalError("under construction") }

    /// Restores `input` into `output`: same size and format, other or the same memory.
    ///
    /// `strength` 0...1 blends the input (0) with the restored image (1). `progress` is called on the calling thread
    /// with the share done, 0...1, never falling; returning false cancels. After an error `output` is as it was.
    public func restore(
        _ input: ImageBuffer, into output: ImageBuffer, task: Task = .auto, strength: Float = 1,
        progress: ((Float) -> Bool)? = nil
    ) throws(MirlError) { fatalError("under construction") }

    /// The degradation that the last restoration's prompt mixtures were nearest to, with its share of the evidence
    /// (0...1); nil if the weights carry no mixtures to compare with.
    public private(set) var seen: (task: Task, confidence: Float)?
}
