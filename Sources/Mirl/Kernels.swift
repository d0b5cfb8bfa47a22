import Glibc
import MirlKernels

/// The tables of kernels that this processor can run, best first.
public enum Kernels {
    package static var names: [String] { tables.map { String(cString: $0.name) } }

    /// The name of the table at this place, which lives as long as the program; nil beyond the last.
    public static func name(_ index: Int) -> UnsafePointer<CChar>? { index < tables.count ? tables[index].name : nil }

    /// The best table, or the one that the environment variable MIRL_KERNELS names.
    package static var chosen: mirlk_kernels {
        getenv("MIRL_KERNELS").flatMap { named(String(cString: $0)) } ?? tables[0]
    }

    /// Immutable: names and functions only.
    nonisolated(unsafe) package static let tables: [mirlk_kernels] = {
        var tables: [mirlk_kernels] = []
        var next = mirlk_available()!
        while let table = next.pointee {
            tables.append(table.pointee)
            next += 1
        }
        return tables
    }()

    package static func named(_ name: String) -> mirlk_kernels? {
        tables.first { String(cString: $0.name) == name }
    }
}
