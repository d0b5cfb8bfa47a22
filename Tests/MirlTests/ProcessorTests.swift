// A container's processors are those that its control group may use.
import Foundation
import MirlKernels
import Testing

@Suite final class ProcessorTests {
    let root = FileManager.default.temporaryDirectory.appending(path: "mirl-groups-\(UUID().uuidString)")

    deinit { try? FileManager.default.removeItem(at: root) }

    /// What is allowed to a process of the group /a/b, whose cpu.max and those of the groups around it say this.
    func quota(_ inner: String?, _ outer: String? = nil, _ whole: String? = nil, line: String = "0::/a/b") throws
        -> UInt32
    {
        let inside = root.appending(path: "a/b")
        try FileManager.default.createDirectory(at: inside, withIntermediateDirectories: true)
        for (folder, limit) in [(inside, inner), (root.appending(path: "a"), outer), (root, whole)] {
            try limit?.write(to: folder.appending(path: "cpu.max"), atomically: false, encoding: .utf8)
        }
        let groups = root.appending(path: "cgroup")
        try "12:cpuset:/x\n\(line)\n".write(to: groups, atomically: false, encoding: .utf8)
        return mirlk_quota(groups.path, root.path)
    }

    @Test(arguments: [
        ("200000 100000", 2), ("150000 100000", 2), ("1000 100000", 1), ("max 100000", .max), ("", .max),
        ("junk", .max), ("100000 0", .max),
    ] as [(String, UInt32)])
    func aGroupsQuotaIsRoundedUp(limit: String, processors: UInt32) throws {
        #expect(try quota("\(limit)\n") == processors)
    }

    @Test func theLeastQuotaAroundCounts() throws {
        #expect(try quota("400000 100000", "300000 100000") == 3)
        #expect(try quota(nil, nil, "500000 100000", line: "0::/") == 5)
    }

    @Test func withoutGroupsThereIsNoLimit() throws {
        #expect(mirlk_quota(root.path + "/none", root.path) == .max)
        #expect(mirlk_quota("/dev/null", root.path) == .max)
        #expect(try quota("100000 100000", line: "3:cpu:/a/b") == .max)
        #expect(mirlk_processors() >= 1)
    }
}
