extension Architecture {
    /// The tasks that a network may be told to do.
    public static let tasks = ["denoise", "derain", "dehaze"]
    /// What is said of images that need nothing.
    public static let clean = "clean"
    /// The kinds of images whose mean prompt mixtures a file may hold, in the file's order.
    public static let kinds = tasks + [clean]

    /// Refuses what is no network, or one so large that its sizes could overflow.
    public func validate() throws(WeightError) {
        try require(blocks.count == 4, "levels of blocks", is: blocks.count, expected: 4)
        try require(heads.count == 4, "levels of heads", is: heads.count, expected: 4)
        try require(promptChannels.count == 3, "levels of prompt channels", is: promptChannels.count, expected: 3)
        try require(promptSizes.count == 3, "levels of prompt sizes", is: promptSizes.count, expected: 3)

        try check("width", width, within: 2...512)
        try require(width % 2 == 0, "width", is: width, expected: "an even number")
        try check("refinement", refinement, within: 1...64)
        try check("prompt heads", promptHeads, within: 1...64)
        try check("prompt components", promptComponents, within: 1...16)
        try require((0.5...8).contains(expansion), "expansion", is: expansion, expected: "0.5...8")
        for level in 0..<4 {
            try check("blocks of level \(level + 1)", blocks[level], within: 1...64)
            try check("heads of level \(level + 1)", heads[level], within: 1...64)
            let channels = width << level
            try require(
                channels % heads[level] == 0, "heads of level \(level + 1)", is: heads[level],
                expected: "a divisor of its \(channels) channels")
        }
        for level in 0..<3 { try validatePrompt(level) }
    }

    private func validatePrompt(_ level: Int) throws(WeightError) {
        try check("channels of prompt \(level + 1)", promptChannels[level], within: 1...2048)
        try check("size of prompt \(level + 1)", promptSizes[level], within: 1...256)
        let mixed = mixedChannels(level)
        try require(
            mixed % promptHeads == 0, "prompt heads", is: promptHeads,
            expected: "a divisor of the \(mixed) channels of noise_level\(level + 1)")
    }

    private func check(_ field: String, _ value: Int, within range: ClosedRange<Int>) throws(WeightError) {
        try require(range.contains(value), field, is: value, expected: "\(range.lowerBound)...\(range.upperBound)")
    }

    /// Channels of the features that meet the prompt of decoder level `level + 1`.
    func promptInputs(_ level: Int) -> Int { width << (level + 1) }

    /// Channels of the block that mixes the prompt in.
    func mixedChannels(_ level: Int) -> Int { promptInputs(level) + promptChannels[level] }
}
