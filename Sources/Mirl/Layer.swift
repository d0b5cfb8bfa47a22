/// A step of the network between maps in a session's memory, laid out for one image size.
protocol Layer {
    /// Floats of scratch memory.
    var scratch: Int { get }
    /// Multiply-adds, for the progress.
    var cost: Double { get }

    func run(_ run: Run) throws(MirlError)
}

/// Places in a stretch of memory, each beginning a cache line.
struct Layout {
    private(set) var size = 0

    mutating func take(_ count: Int) -> Int {
        defer { size += (count + 15) / 16 * 16 }
        return size
    }
}
