// What libmirl.so shows to the linker and wants from the system.
import Foundation
import Testing

@Suite struct LibraryTests {
    private func lines(_ command: String, _ arguments: [String]) throws -> [String] {
        let outcome = try Workshop.run(command, arguments + [Workshop.library.path])
        #expect(outcome.status == 0, "\(outcome.errors)")
        return outcome.text.split(separator: "\n").map(String.init)
    }

    /// The names that the header declares as functions.
    private func declared() throws -> Set<String> {
        let header = try String(contentsOf: Workshop.sources.appending(path: "include/mirl.h"), encoding: .utf8)
        let code = header.replacing(/\/\*(?:[^*]|\*[^\/])*\*\//, with: "")
        return Set(code.matches(of: /(mirl_\w+)\(/).map { String($0.1) })
    }

    @Test func exportsTheHeaderAndNothingElse() throws {
        let exported = try lines("nm", ["-D", "--defined-only"])
            .map { $0.split(separator: " ").last.map(String.init) ?? "" }
        #expect(try Set(exported) == Set(declared().map { "\($0)@@MIRL_1" }))
    }

    @Test func needsOnlyTheCAndCxxRuntimes() throws {
        let allowed: Set = [
            "libc.so.6", "libm.so.6", "libstdc++.so.6", "libgcc_s.so.1", "ld-linux-x86-64.so.2",
            "ld-linux-aarch64.so.1",
        ]
        let needed = try lines("readelf", ["-d"])
            .compactMap { $0.firstMatch(of: /NEEDED.*\[(.+)\]/).map { String($0.1) } }
        #expect(!needed.isEmpty)
        #expect(Set(needed).isSubset(of: allowed), "\(needed)")
    }

    @Test func namesItselfByMajorVersionAndStaysLoaded() throws {
        let dynamic = try lines("readelf", ["-d"])
        #expect(dynamic.contains { $0.contains("SONAME") && $0.contains("[libmirl.so.1]") })
        #expect(dynamic.contains { $0.contains("NODELETE") })
    }
}
