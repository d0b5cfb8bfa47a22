import Mirl

/// Gives a session its memory, and tells the size of its largest block.
final class MeasuredMemory {
    private(set) var bytes = 0

    var allocator: Allocator {
        Allocator(
            allocate: { size, alignment in
                self.bytes = max(self.bytes, size)
                return UnsafeMutableRawPointer.allocate(byteCount: size, alignment: alignment)
            }, deallocate: { block, _, _ in block.deallocate() })
    }
}
