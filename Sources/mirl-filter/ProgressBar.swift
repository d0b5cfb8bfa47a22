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
        let bar = String(repeating: "=", count: percent / 2) + String(repeating: " ", count: 50 - percent / 2)
        report("\r\(label)[\(bar)] \(percent)%", terminator: "")
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
