// examples/c/restore.c as a user runs it.
import Foundation
import Testing

@Suite struct ExampleTests {
    private func restore(_ arguments: [String], _ input: Data) throws -> Outcome {
        try Workshop.run(Workshop.example.get().path, arguments, input: input)
    }

    private func picture(_ header: String, bytes: Int) -> Data {
        Data(header.utf8) + Data((0..<bytes).map { UInt8(truncatingIfNeeded: $0 * $0 % 251) })
    }

    @Test(arguments: [
        ("P6\n9 7\n255\n", 189), ("P5\n9 7\n255\n", 63), ("P6\n9 7\n65535\n", 378), ("P5\n9 7\n65535\n", 126),
    ])
    func keepsTheKindOfPicture(header: String, bytes: Int) throws {
        let outcome = try restore(["derain"], picture(header, bytes: bytes))
        #expect(outcome.status == 0)
        #expect(outcome.errors == "", "no progress where there is no terminal")
        #expect(outcome.output.starts(with: Data(header.utf8)))
        #expect(outcome.output.count == header.utf8.count + bytes)
    }

    @Test func readsAFileAndSkipsComments() throws {
        let program = try Workshop.example.get()
        let file = program.deletingLastPathComponent().appending(path: "comment.ppm")
        let plain = picture("P6\n9 7\n255\n", bytes: 189)
        try (Data("P6 # a\n# b\n9 7 255\n".utf8) + plain.suffix(189)).write(to: file)
        #expect(try restore(["auto", file.path], Data()).output == restore(["auto"], plain).output)
    }

    @Test(arguments: [
        ("", "not a binary"), ("P3\n1 1\n255\n0 0 0", "not a binary"), ("P6\n0 1\n255\n", "width and height"),
        ("P6\n70000 1\n255\n", "width and height"), ("P6\n2 2\n100\n", "maximum"), ("P6\n2 2\n255\nabc", "ends before"),
    ])
    func refusesDamagedPictures(content: String, message: String) throws {
        let outcome = try restore([], Data(content.utf8))
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains(message))
        #expect(outcome.output.isEmpty)
    }

    @Test func refusesAnUnknownTask() throws {
        let outcome = try restore(["paint"], Data())
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("paint"))
    }
}
