/// Whoever shares out numbered work items among threads: a pool of the session's own, or the host.
package protocol Workers {
    /// Calls `body` once for each item 0 ..< `count`, on any thread, and returns when all are done.
    ///
    /// No two calls that run at the same time have the same `thread`, a number below that of the session's threads.
    /// A pool that waits for its threads calls `whileWaiting` every ten milliseconds, on the caller's thread.
    func run(
        _ count: Int, whileWaiting: () -> Void, _ body: (_ item: Int, _ thread: Int) -> Void
    ) throws(MirlError)
}
