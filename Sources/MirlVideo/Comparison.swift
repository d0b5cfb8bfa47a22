import Glibc

extension FrameFormat {
    /// Writes two frames of this format side by side into one of twice the size.
    public func join(_ left: UnsafeRawPointer, _ right: UnsafeRawPointer, into output: UnsafeMutableRawPointer) {
        var offset = 0
        for plane in planes {
            let row = plane.width * bytesPerSample
            for _ in 0..<plane.height {
                memcpy(output + 2 * offset, left + offset, row)
                memcpy(output + 2 * offset + row, right + offset, row)
                offset += row
            }
        }
    }
}
