// What a C program may rely on; the checks themselves are C, in Tests/CHost.
import Testing

@Suite struct HostTests {
    @Test(arguments: [
        "layout", "features", "arguments", "statuses", "formats", "blue-first", "sharing-memory", "strength", "progress", "cancel", "thread-counts",
        "threads-end", "shared-model", "runner", "allocator", "fork", "surroundings",
    ])
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
            "cc", ["-x"] + language + ["-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-I", "include", "Tests/CHost/header.c"])
        #expect(outcome.status == 0, "\(outcome.errors)")
    }

    @Test func loadsAndClosesAtRunTime() throws {
        let outcome = try Workshop.run(Workshop.loader.get().path, [Workshop.library.path])
        #expect(outcome.status == 0)
        #expect(outcome.errors == "")
    }
}
