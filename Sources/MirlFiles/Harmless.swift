extension String {
    /// One line, with a question mark for whatever might steer a terminal: control and format characters.
    package var harmless: String { harmless(keeping: []) }

    /// The same, but for line ends, which stay.
    package var harmlessLines: String { harmless(keeping: ["\n"]) }

    private func harmless(keeping kept: Set<Unicode.Scalar>) -> String {
        func steers(_ scalar: Unicode.Scalar) -> Bool {
            [.control, .format].contains(scalar.properties.generalCategory) && !kept.contains(scalar)
        }
        return String(String.UnicodeScalarView(unicodeScalars.map { steers($0) ? "?" : $0 }))
    }
}
