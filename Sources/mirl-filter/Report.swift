import MirlFiles

/// What --verbose tells: facts as they come, and at the end the time that each step took.
struct Report {
    let isShown: Bool
    private let clock = ContinuousClock()
    private var stepStart: ContinuousClock.Instant
    private var times: [String] = []

    init(isShown: Bool) {
        self.isShown = isShown
        stepStart = clock.now
    }

    func tell(_ fact: String) {
        if isShown { report("mirl-filter: \(fact)".harmless) }
    }

    /// Ends a step and begins the next.
    mutating func finished(_ step: String) {
        let now = clock.now
        let tenths = (now - stepStart) / .microseconds(100)
        times.append("\(step) in \(tenths.rounded() / 10) ms")
        stepStart = now
    }

    func tellTimes() { tell(times.joined(separator: ", ")) }
}
