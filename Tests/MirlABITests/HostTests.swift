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

    /// They make the Swift runtime print and handle signals, which is not for a host that knows nothing of it.
    @Test func variablesOfSwiftAreNotHeeded() throws {
        let host = try Workshop.host.get().path
        let variables = "SWIFT_DEBUG_HELP=1 SWIFT_BACKTRACE=enable=yes,swift-backtrace=/bin/true"
        let outcome = try Workshop.run("/bin/sh", ["-c", "\(variables) exec '\(host)' surroundings"])
        #expect(outcome.status == 0)
        #expect(outcome.errors == "")
        #expect(outcome.output.isEmpty)
    }

    @Test func cxxWrapper() throws {
        let outcome = try Workshop.run(Workshop.wrapper.get().path, [])
        #expect(outcome.status == 0)
        #expect(outcome.errors == "")
    }

    /// The median, as others may be at work on this machine. It is 5 to 7 ms where none are.
    @Test(arguments: [false, true])
    func cancelsWithinATenthOfASecond(isFull: Bool) throws {
        let weights = try isFull ? Workshop.fullWeights.get() : "-"
        let shares = isFull ? ["0", "0.02", "0.1"] : ["0", "0.02", "0.1", "0.3", "0.6"]
        let outcome = try Workshop.run(Workshop.latency.get().path, [weights, "1024", "0"] + shares)
        #expect(outcome.status == 0)
        let median = outcome.text.split(separator: " ").first.flatMap { Double($0) }
        #expect(try #require(median) < 100)
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
