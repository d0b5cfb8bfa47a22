// What a C program may rely on; the checks themselves are C, in Tests/CHost.
import Foundation
import Testing

@Suite struct HostTests {
    /// The checks that the program lists; the error instead, if it cannot be had.
    static let checks: [String] = {
        do {
            let outcome = try Workshop.run(Workshop.host.get().path, [])
            return outcome.text.split(separator: "\n").map(String.init)
        } catch {
            return ["\(error)"]
        }
    }()

    @Test func thereAreChecks() { #expect(Self.checks.count > 15) }

    @Test(arguments: checks)
    func cHost(check: String) throws {
        let outcome = try Workshop.run(Workshop.host.get().path, [check])
        #expect(outcome.status == 0)
        #expect(outcome.errors == "")
        #expect(outcome.output.isEmpty, "the library printed")
    }

    @Test func cxxWrapper() throws {
        let outcome = try Workshop.run(Workshop.wrapper.get().path, [])
        #expect(outcome.status == 0)
        #expect(outcome.errors == "")
    }

    @Test(arguments: [["c", "-std=gnu89"], ["c", "-std=c99"], ["c++", "-std=c++98"], ["c++", "-std=c++17"]])
    func headerStandsAlone(language: [String]) throws {
        let outcome = try Workshop.run(
            "cc",
            ["-x"] + language
                + ["-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-I", "include", "Tests/CHost/header.c"])
        #expect(outcome.status == 0, "\(outcome.errors)")
    }

    @Test func loadsAndClosesAtRunTime() throws {
        let outcome = try Workshop.run(Workshop.loader.get().path, [Workshop.library.path])
        #expect(outcome.status == 0)
        #expect(outcome.errors == "")
    }
}
