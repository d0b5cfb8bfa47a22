import Glibc

/// Where the memory for images comes from: the system, or the host.
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

    /// Of malloc, or from the size of a huge page on mapped, so that the advice to the kernel ends with the block: on
    /// malloc's heap it would stay with what the host keeps there later.
    static var system: Allocator {
        Allocator(
            allocate: { size, alignment in
                if size >= hugePage { return mapHugePages(size) }
                var block: UnsafeMutableRawPointer?
                return posix_memalign(&block, alignment, size) == 0 ? block : nil
            },
            deallocate: { block, size, _ in if size >= hugePage { munmap(block, size) } else { free(block) } })
    }
}

private let hugePage = 1 << 21

/// Begins where a huge page does. Only whole ones are advised, so that the peak grows by nothing; rows of a map lie
/// pages apart.
private func mapHugePages(_ size: Int) -> UnsafeMutableRawPointer? {
    let page = Int(getpagesize())
    let length = (size + page - 1) / page * page
    guard let mapped = mmap(nil, length + hugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
        mapped != MAP_FAILED
    else { return nil }
    let before = (hugePage - Int(bitPattern: mapped) % hugePage) % hugePage
    let block = mapped + before
    if before > 0 { munmap(mapped, before) }
    munmap(block + length, hugePage - before)
    madvise(block, size / hugePage * hugePage, MADV_HUGEPAGE)
    return block
}

/// One growing block of memory, aligned to cache lines.
final class SessionMemory {
    private static let alignment = 64
    private let allocator: Allocator
    private var base: UnsafeMutableRawPointer?
    private var size = 0

    init(_ allocator: Allocator) { self.allocator = allocator }

    deinit {
        let arithmetic = HostArithmetic.enter()
        defer { arithmetic.leave() }
        arithmetic.call { release() }
    }

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
