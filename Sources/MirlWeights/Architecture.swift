/// The numbers that fix a PromptIR network (arXiv 2306.13090); the defaults are the paper's.
public struct Architecture: Equatable, Sendable {
    /// Channels at full resolution; level n has `width << (n - 1)`.
    public var width = 48
    /// Transformer blocks of encoder levels 1 to 3 (and of the decoder's) and of the latent level.
    public var blocks = [4, 6, 6, 8]
    public var refinement = 4
    /// Attention heads of levels 1 to 4.
    public var heads = [1, 2, 4, 8]
    /// Attention heads of the blocks that mix the prompts in.
    public var promptHeads = 4
    /// Hidden channels of a feed-forward layer over its channels, before rounding down.
    public var expansion = 2.66
    /// Channels and side of the prompts of decoder levels 1 to 3.
    public var promptChannels = [64, 128, 320]
    public var promptSizes = [64, 32, 16]
    public var promptComponents = 5

    public init() {}

    /// The gate's hidden channels (half of what project_in makes) for `channels` inputs.
    public func hidden(_ channels: Int) -> Int { Int(Double(channels) * expansion) }
}
