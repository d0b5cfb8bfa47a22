// What the library is and knows: versions, kernels, and the names of numbers.
import CMirl
import Mirl

@c @implementation
public func mirl_version() -> UInt32 {
    UInt32(MIRL_VERSION_MAJOR << 16 | MIRL_VERSION_MINOR << 8 | MIRL_VERSION_PATCH)
}

@c @implementation
public func mirl_kernels_name(_ index: UInt32) -> UnsafePointer<CChar>? { Kernels.name(Int(index)) }

@c @implementation
public func mirl_status_text(_ status: mirl_status) -> UnsafePointer<CChar>? {
    switch status {
    case MIRL_OK: text("success")
    case MIRL_ERROR_ARGUMENT: text("invalid argument")
    case MIRL_ERROR_MEMORY: text("out of memory")
    case MIRL_ERROR_IO: text("a file cannot be read")
    case MIRL_ERROR_WEIGHTS: text("the weights are damaged or of an unknown kind")
    case MIRL_ERROR_CANCELLED: text("cancelled")
    case MIRL_ERROR_SYSTEM: text("the system refused")
    default: text("unknown status")
    }
}

@c @implementation
public func mirl_task_name(_ task: mirl_task) -> UnsafePointer<CChar>? {
    switch task {
    case MIRL_AUTO: text("auto")
    case MIRL_DENOISE: text("denoise")
    case MIRL_DERAIN: text("derain")
    case MIRL_DEHAZE: text("dehaze")
    default: nil
    }
}

@c @implementation
public func mirl_format_bytes(_ format: mirl_format) -> Int { PixelFormat(format)?.bytesPerPixel ?? 0 }

/// A string that lives as long as the library.
private func text(_ string: StaticString) -> UnsafePointer<CChar> {
    UnsafeRawPointer(string.utf8Start).assumingMemoryBound(to: CChar.self)
}
