/// The degradation to remove.
public enum Task: String, CaseIterable, Sendable {
    /// The network sees for itself what is wrong.
    case auto
    case denoise, derain, dehaze
}
