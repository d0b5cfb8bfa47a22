import Glibc
import Synchronization

/// How many forks lie between the process that loaded the library and this one.
///
/// Process numbers would not do: they are used again, and a child may have its parent's in a namespace of its own.
enum Forks {
    static var count: Int { counted.load(ordering: .relaxed) }

    /// Starts the count; nil, or why the system would not.
    static let failure: String? = {
        _ = count
        let status = pthread_atfork(nil, nil, { _ = counted.wrappingAdd(1, ordering: .relaxed) })
        return status == 0 ? nil : String(cString: strerror(status))
    }()
}

private let counted = Atomic(0)
