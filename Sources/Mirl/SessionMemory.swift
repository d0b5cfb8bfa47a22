import Glibc

/// Where the memory for images comes from: malloc, or the host.
public struct Allocator {
    /// At least `size` bytes that begin at a multiple of `alignment`, a power of two; nil if there are none.
    public var allocate: (_ size: Int, _ alignment: Int) -> UnsafeMutableRawPointer?
    public var deallocate: (_ block: UnsafeMutableRawPointer, _ size: Int, _ alignment: Int) -> Void

    public init(
        allocate: @escaping (_ size: Int, _ alignment: Int) -> UnsafeMutableRawPointer?,
        deallocate: @escaping (_ block: UnsafeMutableRawPointer, _ size: Int, _ alignment: Int) -> Void
    ) {
        self.allocate = allocate
        self.deallocate = deallocate
    }

    static var system: Allocator {
        Allocator(
            allocate: { size, alignment in
                var block: UnsafeMutableRawPointer?
                let isLarge = size >= hugePage
                guard posix_memalign(&block, isLarge ? hugePage : alignment, size) == 0 else { return nil }
                // Whole pages only, so that the peak grows by nothing; rows of a map lie pages apart.
                if isLarge { madvise(block, size / hugePage * hugePage, MADV_HUGEPAGE) }
                return block
            },
            deallocate: { block, _, _ in free(block) })
    }
}

private let hugePage = 1 << 21

/// One growing block of memory, aligned to cache lines.
final class SessionMemory {
    private static let alignment = 64
    private let allocator: Allocator
    private var base: UnsafeMutableRawPointer?
    private var size = 0

    init(_ allocator: Allocator) { self.allocator = allocator }

    deinit { release() }

    /// A block of so many bytes, or a larger one from before if that is not more than `limit`; what it holds is
    /// undefined.
    func block(
        of bytes: Int, within limit: Int, _ arithmetic: HostArithmetic
    ) throws(MirlError) -> UnsafeMutablePointer<Float> {
        if base == nil || bytes > size || size > limit {
            base = arithmetic.call {
                release()
                return allocator.allocate(bytes, Self.alignment)
            }
            guard base != nil else { throw .memory("cannot allocate \(bytes) bytes of scratch memory") }
            size = bytes
        }
        guard Int(bitPattern: base!).isMultiple(of: Self.alignment) else {
            arithmetic.call { release() }
            throw .argument("allocator: gave memory that does not begin at a multiple of \(Self.alignment)")
        }
        return base!.assumingMemoryBound(to: Float.self)
    }

    private func release() {
        if let base { allocator.deallocate(base, size, Self.alignment) }
        base = nil
        size = 0
    }
}
