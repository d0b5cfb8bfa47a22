/// What makes images in a caller's memory safe to walk.
extension ImageBuffer {
    /// Throws if the image cannot be what it says: rows must not overlap, samples must be aligned, and the last byte
    /// must still be in the address space.
    func check(_ name: String) throws(MirlError) {
        guard (1...4).contains(format.bands) else {
            throw .argument("\(name): \(format.bands) bands, expected 1 to 4")
        }
        let sides = 1...Geometry.maximumSide, sample = format.sample.rawValue
        guard sides.contains(width), sides.contains(height) else {
            throw .argument("\(name): \(width)x\(height) pixels, expected 1 to \(sides.upperBound) each way")
        }
        // A size_t beyond Int.max comes as a negative number.
        guard stride >= rowBytes else {
            throw .argument("\(name): stride is \(UInt(bitPattern: stride)), a row takes \(rowBytes) bytes")
        }
        guard stride.isMultiple(of: sample), Int(bitPattern: data).isMultiple(of: sample) else {
            throw .argument("\(name): data and stride must be multiples of \(sample), the bytes of a sample")
        }
        let (rows, tooLarge) = stride.multipliedReportingOverflow(by: height - 1)
        let (bytes, tooLong) = rows.addingReportingOverflow(rowBytes)
        let (_, beyond) = UInt(bitPattern: data).addingReportingOverflow(UInt(bitPattern: bytes))
        guard !tooLarge, !tooLong, !beyond else {
            throw .argument("\(name): \(height) rows of \(stride) bytes do not fit in memory")
        }
    }

    /// Throws if this cannot be the output for `input`: it has its size and format, and shares its memory exactly or
    /// not at all. Both have passed `check`.
    func check(against input: ImageBuffer) throws(MirlError) {
        guard width == input.width, height == input.height else {
            throw .argument("output: \(width)x\(height) pixels, the input has \(input.width)x\(input.height)")
        }
        guard format == input.format else { throw .argument("output: its format is not the input's") }
        guard isApart(from: input) || (data == input.data && stride == input.stride) else {
            throw .argument("output: overlaps the input in part")
        }
    }

    private var extent: Range<UInt> {
        let start = UInt(bitPattern: data)
        return start..<start + UInt(stride * (height - 1) + rowBytes)
    }

    /// Whether no byte belongs to a row of both; two images may lie side by side in the rows of a larger one.
    private func isApart(from other: ImageBuffer) -> Bool {
        if !extent.overlaps(other.extent) { return true }
        guard stride == other.stride else { return false }
        let starts = [extent.lowerBound, other.extent.lowerBound].sorted()
        let shift = Int((starts[1] - starts[0]) % UInt(stride))
        return shift >= rowBytes && stride - shift >= rowBytes
    }
}
