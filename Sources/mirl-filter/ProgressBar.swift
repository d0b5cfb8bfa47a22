import Glibc

/// A line on standard error that grows with the work and vanishes after it.
struct ProgressBar {
    private let label: String
    private var shown = -1

    /// `label` stands before the bar.
    init(label: String) { self.label = label.isEmpty ? "" : label + " " }

    /// Draws the bar if it changed since the last time.
    mutating func show(_ done: Float) {
        let percent = Int(done * 100)
        if percent == shown { return }
        shown = percent
        report("\r\(line(percent))", terminator: "")
    }

    /// Never longer than the terminal is wide, as only one line can be cleared.
    private func line(_ percent: Int) -> String {
        let columns = columns, number = "\(percent)%", cells = min(50, columns - label.count - "[] 100% ".count)
        guard cells >= 10 else { return String((label + number).suffix(max(1, columns - 1))) }
        let full = String(repeating: "=", count: percent * cells / 100)
        return "\(label)[\(full)\(String(repeating: " ", count: cells - full.count))] \(number)"
    }

    private var columns: Int {
        var size = winsize()
        return ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
    }

    func clear() {
        if shown >= 0 { report("\r\u{1B}[K", terminator: "") }
    }
}

/// Writes a line to standard error, as well as that can be done.
func report(_ text: String, terminator: String = "\n") {
    var line = text + terminator
    line.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
}
