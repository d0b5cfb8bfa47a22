// How what went wrong reaches a C caller: a status, and a line of text where the caller left room for one.
import CMirl
import Mirl

typealias ErrorPointer = UnsafeMutablePointer<mirl_error>?

/// Runs `body`; what it throws becomes the status that is returned and the content of `error`.
func reporting(to error: ErrorPointer, _ body: () throws(MirlError) -> Void) -> mirl_status {
    guard error.hasRoom else { return MIRL_ERROR_ARGUMENT }
    do {
        try body()
        error.set(MIRL_OK, "")
        return MIRL_OK
    } catch let failure {
        error.set(failure.status, failure.description)
        return failure.status
    }
}

extension MirlError {
    fileprivate var status: mirl_status {
        switch self {
        case .argument: MIRL_ERROR_ARGUMENT
        case .memory: MIRL_ERROR_MEMORY
        case .io: MIRL_ERROR_IO
        case .weights: MIRL_ERROR_WEIGHTS
        case .cancelled: MIRL_ERROR_CANCELLED
        case .system: MIRL_ERROR_SYSTEM
        }
    }
}

extension ErrorPointer {
    /// Whether the struct is as large as this version writes, or there is none to write.
    fileprivate var hasRoom: Bool {
        guard let self else { return true }
        return structSize(UnsafeRawPointer(self)) >= MemoryLayout<mirl_error>.size
    }

    fileprivate func set(_ status: mirl_status, _ text: String) {
        guard let self else { return }
        self.pointee.status = status
        withUnsafeMutableBytes(of: &self.pointee.message) { copy(text, to: $0) }
    }
}

/// Fills `room` with `text` and a final NUL, leaving out the characters that do not fit. Whatever would break
/// the line, as a file name may, becomes a question mark.
func copy(_ text: String, to room: UnsafeMutableRawBufferPointer) {
    var end = 0
    for scalar in text.unicodeScalars {
        let bytes = UTF8.encode(isControl(scalar) ? "?" : scalar)!
        guard end + bytes.count < room.count else { break }
        for byte in bytes {
            room[end] = byte
            end += 1
        }
    }
    room[end] = 0
}

private func isControl(_ scalar: Unicode.Scalar) -> Bool {
    scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
}
