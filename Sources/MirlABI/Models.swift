// The functions of mirl_model; the handle is a retained Model.
import CMirl
import Mirl

@c @implementation
public func mirl_model_open(
    _ path: UnsafePointer<CChar>?, _ model: UnsafeMutablePointer<OpaquePointer?>?,
    _ error: UnsafeMutablePointer<mirl_error>?
) -> mirl_status {
    opening(model, error) { () throws(MirlError) in
        let path = try given(path, "path")
        guard let name = String(validatingCString: path) else { throw .argument("path is not UTF-8") }
        return try Model.open(path: name)
    }
}

@c @implementation
public func mirl_model_open_memory(
    _ data: UnsafeRawPointer?, _ size: Int, _ model: UnsafeMutablePointer<OpaquePointer?>?,
    _ error: UnsafeMutablePointer<mirl_error>?
) -> mirl_status {
    opening(model, error) { () throws(MirlError) in
        let data = try given(data, "data")
        guard size >= 0 else { throw .argument("size: \(UInt(bitPattern: size)) bytes do not fit in memory") }
        return try Model.open(copying: UnsafeRawBufferPointer(start: data, count: size))
    }
}

@c @implementation
public func mirl_model_open_default(
    _ model: UnsafeMutablePointer<OpaquePointer?>?, _ error: UnsafeMutablePointer<mirl_error>?
) -> mirl_status {
    opening(model, error) { () throws(MirlError) in try Model.builtIn() }
}

@c @implementation
public func mirl_model_knows(_ model: OpaquePointer?, _ task: mirl_task) -> CInt {
    guard let model, let task = Task(task) else { return 0 }
    return object(model, as: Model.self).knows(task) ? 1 : 0
}

@c @implementation
public func mirl_model_free(_ model: OpaquePointer?) { release(model, as: Model.self) }

@c @implementation
public func mirl_memory_estimate(
    _ model: OpaquePointer?, _ width: UInt32, _ height: UInt32, _ threads: UInt32
) -> UInt64 {
    guard let model else { return 0 }
    var estimate: Int?
    withoutCancellation {
        estimate = object(model, as: Model.self)
            .memoryEstimate(width: Int(width), height: Int(height), threads: Int(threads))
    }
    return UInt64(estimate ?? 0)
}

private func opening(
    _ handle: UnsafeMutablePointer<OpaquePointer?>?, _ error: ErrorPointer, _ open: () throws(MirlError) -> Model
) -> mirl_status {
    reporting(to: error) { () throws(MirlError) in
        let handle = try given(handle, "model")
        handle.pointee = retained(try open())
    }
}
