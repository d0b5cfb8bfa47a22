extension String {
    /// With a question mark for whatever might steer a terminal: control and format characters, line ends excepted.
    package var harmless: String {
        String(String.UnicodeScalarView(unicodeScalars.map { $0.steers ? "?" : $0 }))
    }
}

extension Unicode.Scalar {
    fileprivate var steers: Bool {
        self != "\n" && [.control, .format].contains(properties.generalCategory)
    }
}
