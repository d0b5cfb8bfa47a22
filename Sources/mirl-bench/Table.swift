import Glibc

/// Prints rows of words under a heading, each row as soon as it is there.
struct Table {
    private let columns: [String]

    init(_ columns: String...) {
        self.columns = columns
        show(columns)
    }

    func row(_ cells: any CustomStringConvertible...) {
        show(cells.map { cell in (cell as? Double).map(rounded) ?? cell.description })
    }

    private func show(_ cells: [String]) {
        let padded = zip(cells, columns).enumerated().map { i, pair in
            let width = max(pair.1.count, i == 0 ? 16 : 9)
            let space = String(repeating: " ", count: max(0, width - pair.0.count))
            return i == 0 ? pair.0 + space : space + pair.0
        }
        print(padded.joined(separator: "  "))
        fflush(nil)
    }
}

/// Four significant digits or so, without an exponent.
private func rounded(_ value: Double) -> String {
    guard value.isFinite, value != 0 else { return "\(value)" }
    let digits = max(0, min(6, 3 - Int(log10(abs(value)).rounded(.down))))
    let scale = pow(10, Double(digits))
    let shown = (value * scale).rounded() / scale
    return digits == 0 ? "\(Int(shown))" : "\(shown)"
}
