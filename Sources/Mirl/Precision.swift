/// How exactly a session computes.
public enum Precision: String, CaseIterable, Sendable {
    /// In 32-bit floats throughout.
    case fp32
    /// Factors of the attention's products are rounded to bf16, which have 8 bits of precision, where the kernels are
    /// `avx512` and the processor has instructions for that, faster or not; sums are 32-bit floats.
    case bf16
}
