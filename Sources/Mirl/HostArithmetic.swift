import MirlKernels

/// The network's arithmetic on a thread of the host, which gets its own back, sticky flags too, whenever it is called,
/// and at the end.
struct HostArithmetic {
    private let saved: mirlk_arithmetic

    /// From here until `leave` this thread computes as the network expects.
    static func enter() -> HostArithmetic { HostArithmetic(saved: mirlk_enter_arithmetic()) }

    func leave() { mirlk_leave_arithmetic(saved) }

    /// Calls back a host that expects its own arithmetic.
    func call<Result>(_ host: () -> Result) -> Result {
        leave()
        defer { _ = mirlk_enter_arithmetic() }
        return host()
    }
}
