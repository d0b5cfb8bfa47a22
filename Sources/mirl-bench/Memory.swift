// What the system says of this process's memory.
import ArgumentParser
import Glibc

/// Megabytes by a field of /proc/self/status: VmRSS is what is resident, VmHWM the most that ever was.
func processMemory(_ field: String) throws -> Double {
    guard let file = fopen("/proc/self/status", "r") else { throw ValidationError("/proc/self/status cannot be read") }
    defer { fclose(file) }
    var line: UnsafeMutablePointer<CChar>?, size = 0
    defer { free(line) }
    while getline(&line, &size, file) >= 0 {
        let words = String(cString: line!).split { $0 == ":" || $0.isWhitespace }
        if words.count > 1, words[0] == field, let kilobytes = Double(words[1]) { return kilobytes * 1024 / 1e6 }
    }
    throw ValidationError("/proc/self/status has no \(field)")
}
