import Glibc

/// How long something takes, by the best and the median of several runs.
struct Timing {
    /// Seconds, shortest first.
    private let times: [Double]

    var best: Double { times[0] }
    var median: Double { times[times.count / 2] }
    var runs: Int { times.count }

    /// Runs `body` once unmeasured, then for about so many seconds, `least` times at least and `most` at most.
    init(seconds: Double, least: Int = 5, most: Int = 1000, _ body: () throws -> Void) rethrows {
        try body()
        let end = now() + seconds
        var times: [Double] = []
        while times.count < least || (now() < end && times.count < most) {
            let start = now()
            try body()
            times.append(now() - start)
        }
        self.times = times.sorted()
    }
}

/// Seconds of a clock that only goes forward.
func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// Seconds that a short `body` takes, by the best of some tens of samples, each long enough for the clock.
func shortest(seconds: Double = 0.03, _ body: () -> Void) -> Double {
    var count = 1, start = now()
    body()
    while true {
        start = now()
        for _ in 0..<count { body() }
        if now() - start > 1e-4 { break }
        count *= 2
    }
    return Timing(seconds: seconds) { for _ in 0..<count { body() } }.best / Double(count)
}
