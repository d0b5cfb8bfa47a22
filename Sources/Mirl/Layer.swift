/// A step of the network between maps in a session's memory, laid out for one image size.
protocol Layer {
    var scratch: Scratch { get }
    /// Multiply-adds, for the progress.
    var cost: Double { get }

    func run(_ run: Run) throws(MirlError)
}

/// A layer's scratch memory, in floats: what its threads share, then each thread's own.
struct Scratch {
    var shared = Places(), own = Places()
    let threads: Int

    init(threads: Int) { self.threads = threads }

    var size: Int { shared.size + threads * own.size }

    func own(_ thread: Int, _ run: Run) -> UnsafeMutablePointer<Float> {
        run.scratch + shared.size + thread * own.size
    }

    /// Places in a stretch of memory, each beginning a cache line.
    struct Places {
        private(set) var size = 0

        mutating func take(_ count: Int) -> Int {
            defer { size += (count + 15) / 16 * 16 }
            return size
        }
    }
}
