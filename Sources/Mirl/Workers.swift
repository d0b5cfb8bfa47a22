/// Whoever shares out numbered work items among threads: a pool of the session's own, or the host.
protocol Workers {
    /// The most threads that work at the same time.
    var threads: Int { get }

    /// Calls `body` once for each item 0 ..< `count`, on any thread, and returns when all are done.
    ///
    /// No two calls that run at the same time have the same `thread`, 0 ..< `threads`. `goOn` is asked on the caller's
    /// thread, after each item that is done there, with the share of items given out; if it says no, the items that nobody
    /// has begun are left, and the result is false.
    func run(
        _ count: Int, goOn: (Float) -> Bool, _ body: (_ item: Int, _ thread: Int) -> Void
    ) throws(MirlError) -> Bool
}
