/// Whoever shares out numbered work items among threads: a pool of the session's own, or the host.
protocol Workers {
    /// The most threads that work at the same time.
    var threads: Int { get }

    /// Calls `body` once for each item 0 ..< `count`, on any thread, and returns when all are done.
    ///
    /// No two calls that run at the same time have the same `thread`, 0 ..< `threads`.
    func run(_ count: Int, _ body: (_ item: Int, _ thread: Int) -> Void) throws(MirlError)
}
