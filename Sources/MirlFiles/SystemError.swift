import Glibc

/// A system call that failed.
package struct SystemError: Error, CustomStringConvertible {
    private let number = errno

    package init() {}

    package var description: String { String(cString: strerror(number)) }
}
