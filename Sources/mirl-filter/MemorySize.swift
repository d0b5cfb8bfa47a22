import ArgumentParser

/// A number of bytes, as in 800M or 2G: a suffix K, M or G stands for 1024, its square or its cube.
struct MemorySize {
    let bytes: Int
    /// As it was written.
    let text: String

    init(argument: String) throws {
        let shifts: [Character: Int] = ["k": 10, "m": 20, "g": 30]
        let shift = argument.lowercased().last.flatMap { shifts[$0] }
        guard let number = Int(shift == nil ? argument[...] : argument.dropLast()), number > 0,
            number <= Int.max >> (shift ?? 0)
        else { throw ValidationError("A whole number of bytes, or with the suffix K, M or G, is expected.") }
        text = argument
        bytes = number << (shift ?? 0)
    }
}
