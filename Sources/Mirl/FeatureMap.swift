/// A stack of channels in a session's memory, row by row: channel c of row y is the `width` floats from
/// `offset + y * rowStride + c * channelStride` floats after the memory's start.
struct FeatureMap {
    var offset: Int
    var channels: Int
    var height: Int
    var width: Int
    var channelStride: Int
    var rowStride: Int

    init(offset: Int, channels: Int, height: Int, width: Int) {
        self.offset = offset
        self.channels = channels
        self.height = height
        self.width = width
        // An odd number of cache lines, so that the channels of one pixel spread over all sets of a cache.
        let lines = (width + 15) / 16
        channelStride = (lines | 1) * 16
        rowStride = channels * channelStride
    }

    var count: Int { height * rowStride }

    /// A part of the channels, in the same memory.
    subscript(part: Range<Int>) -> FeatureMap {
        var map = self
        map.offset += part.lowerBound * channelStride
        map.channels = part.count
        return map
    }

    func row(_ y: Int, in memory: UnsafeMutablePointer<Float>) -> UnsafeMutablePointer<Float> {
        memory + offset + y * rowStride
    }

    /// All values, channels x height x width.
    func values(in memory: UnsafeMutablePointer<Float>) -> [Float] {
        (0..<channels).flatMap { c in
            (0..<height).flatMap { y in
                UnsafeBufferPointer(start: row(y, in: memory) + c * channelStride, count: width)
            }
        }
    }
}
