// How what went wrong reaches a C caller: a status, and a line of text where the caller left room for one.
import CMirl
import Glibc
import Mirl

typealias ErrorPointer = UnsafeMutablePointer<mirl_error>?

/// Runs `body`; what it throws becomes the status that is returned and the content of `error`.
func reporting(to error: ErrorPointer, _ body: () throws(MirlError) -> Void) -> mirl_status {
    guard error.hasRoom else { return MIRL_ERROR_ARGUMENT }
    do {
        try withoutCancellation(body)
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
    /// Whether the struct is as large as this version writes, and no larger than any may be, or there is none to write.
    fileprivate var hasRoom: Bool {
        guard let self else { return true }
        return (MemoryLayout<mirl_error>.size...largestStruct).contains(structSize(UnsafeRawPointer(self)))
    }

    fileprivate func set(_ status: mirl_status, _ text: String) {
        guard let self else { return }
        self.pointee.status = status
        withUnsafeMutableBytes(of: &self.pointee.message) { copy(text, to: $0) }
    }
}

/// Calls `body`, in which a pthread_cancel of this thread must wait: it would leave threads at work on memory that is
/// gone.
func withoutCancellation<E: Error>(_ body: () throws(E) -> Void) throws(E) {
    var before: Int32 = 0
    pthread_setcancelstate(Int32(PTHREAD_CANCEL_DISABLE), &before)
    defer { pthread_setcancelstate(before, nil) }
    try body()
}

/// Fills `room` with `text` and a final NUL; where it is too long, with its beginning, dots, and its end, which tells
/// the reason. Whatever would break the line, as a file name may, becomes a question mark.
func copy(_ text: String, to room: UnsafeMutableRawBufferPointer) {
    var bytes = text.unicodeScalars.flatMap { Array(UTF8.encode(isControl($0) ? "?" : $0)!) }
    if bytes.count >= room.count {
        func isBetweenCharacters(_ place: Int) -> Bool { place == bytes.count || bytes[place] & 0xC0 != 0x80 }
        let dots = Array("...".utf8), half = (room.count - 1 - dots.count) / 2
        let head = (0...half).last(where: isBetweenCharacters)!
        let tail = (bytes.count - half...bytes.count).first(where: isBetweenCharacters)!
        bytes = bytes[..<head] + dots + bytes[tail...]
    }
    room.copyBytes(from: bytes)
    room[bytes.count] = 0
}

private func isControl(_ scalar: Unicode.Scalar) -> Bool {
    scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
}
