// What a C program may rely on; the checks themselves are C, in Tests/CHost.
import Testing

@Suite struct HostTests {
    @Test(arguments: [
        "layout", "features", "arguments", "statuses", "formats", "sharing-memory", "strength", "progress", "cancel", "thread-counts",
        "shared-model", "runner", "allocator", "fork", "surroundings",
    ])
    func cHost(check: String) throws {
        let outcome = try Workshop.run(Workshop.host.get().path, [check])
        #expect(outcome.status == 0)
        #expect(outcome.errors == "")
        #expect(outcome.output.isEmpty, "the library printed")
    }

    @Test func loadsAndClosesAtRunTime() throws {
        let outcome = try Workshop.run(Workshop.loader.get().path, [Workshop.library.path])
        #expect(outcome.status == 0)
        #expect(outcome.errors == "")
    }
}
