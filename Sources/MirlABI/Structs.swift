// Reading the structs that C callers fill, whichever version of the header they were compiled with.
import Mirl

/// No struct of any version is larger; a size beyond it is rubbish rather than a later version's.
let largestStruct = 4096

/// The first field of every public struct.
func structSize(_ pointer: UnsafeRawPointer) -> Int { pointer.loadUnaligned(as: Int.self) }

/// The struct at `pointer`. Fields that a later version appended must be zero: this one cannot honour them.
func read<Struct: BitwiseCopyable>(_ pointer: UnsafePointer<Struct>, _ name: String) throws(MirlError) -> Struct {
    let raw = UnsafeRawPointer(pointer)
    let known = MemoryLayout<Struct>.size
    let size = structSize(raw)
    guard size >= known, size <= largestStruct else {
        throw .argument("\(name): struct_size is \(UInt(bitPattern: size)), expected \(known)")
    }
    guard UnsafeRawBufferPointer(start: raw + known, count: size - known).allSatisfy({ $0 == 0 }) else {
        throw .argument("\(name): sets a field that this version of mirl does not know")
    }
    return raw.loadUnaligned(as: Struct.self)
}

/// The pointer, unless it is NULL.
func given<Pointer>(_ pointer: Pointer?, _ name: String) throws(MirlError) -> Pointer {
    guard let pointer else { throw .argument("\(name) is NULL") }
    return pointer
}
