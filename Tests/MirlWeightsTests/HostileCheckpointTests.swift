import MirlPacking
import MirlTestSupport
import MirlWeights
import Testing

/// Hostile PyTorch checkpoints are refused, run nothing, and never crash.
struct HostileCheckpointTests {
    private static let checkpoint = Checkpoint(.tiny)
    private static let state = Pickled.dictionary(checkpoint.pickledTensors)

    typealias Case = DamageTests.Case

    // MARK: tensors

    /// The checkpoint with another `output.weight`, which is 3 x 8 x 3 x 3, 216 values.
    private static func tensor(
        _ expected: String, type: String = "FloatStorage", key: String = "output.weight", count: Int = 216,
        offset: Int = 0, shape: [Int] = [3, 8, 3, 3], strides: [Int] = [72, 9, 3, 1]
    ) -> Case {
        let storage = Pickled.storage(type, key, count)
        let tensor = Pickled.tensor(storage: storage, offset: offset, shape: shape, strides: strides)
        return Case(expected, checkpoint.torchFile(["output.weight": tensor]).bytes)
    }

    private static let outside = "\"output.weight\": offset "

    /// Strides that overflow where they are compared with those of neighbours, in a tensor without values.
    static let overflowing = tensor("output.weight: shape is [", shape: [0, 1 << 62, 4], strides: [7, 4, 1])

    static let tensorCases = [
        tensor(outside, offset: 1),
        tensor(outside, offset: -1),
        tensor(outside, offset: .max),
        tensor(outside, strides: [72, 9, 3, 2]),
        tensor(outside, strides: [72, 9, 3, -1]),
        tensor(outside, strides: [.max, 9, 3, 1]),
        tensor(outside, strides: [.max, .max, .max, .max]),
        tensor(outside, shape: [3, 8, 3, 4], strides: [72, 9, 3, 1]),
        tensor(outside, shape: [.max, .max, 3, 3]),
        tensor(outside, shape: [-3, -8, 3, 3]),
        tensor("output.weight: shape is [", shape: [1 << 20, 1 << 20, 1 << 20, 0], strides: [1 << 40, 0, 0, 1 << 62]),
        overflowing,
        tensor("has values of type LongStorage, expected floats", type: "LongStorage", count: 108),
        tensor("has 864 bytes, expected 216 elements of 2", type: "HalfStorage"),
        tensor("has 864 bytes, expected 432 elements", count: 432),
        tensor("has 864 bytes, expected -1 elements", count: -1),
        tensor("has 864 bytes, expected \(Int.max) elements", count: .max),
        tensor("\"x/data/9\" is not in the zip archive", key: "9"),
        tensor("\"x/data/../data.pkl\" is not in the zip archive", key: "../data.pkl"),
        tensor("a tensor's arguments are malformed", strides: [9, 3, 1]),
        tensor(
            "a tensor's arguments are malformed", shape: [1, 1, 1, 1, 1, 3, 8, 3, 3],
            strides: .init(repeating: 1, count: 9)),
        tensor(
            "output.weight: shape is [8, 3, 3, 3], expected [3, 8, 3, 3]", shape: [8, 3, 3, 3],
            strides: [27, 9, 3, 1]),
        Case("output.weight is missing", checkpoint.torchFile(["output.weight": Pickled.integer(1)]).bytes),
        Case(
            "is there twice",
            checkpoint.torchFile(Pickled.dictionary(checkpoint.pickledTensors + [checkpoint.pickledTensors[0]])).bytes),
        Case("no tensor is called", checkpoint.torchFile(Pickled.dictionary([])).bytes),
        Case("holds no dictionary", checkpoint.torchFile(Pickled.integer(1)).bytes),
    ]

    @Test(arguments: tensorCases) func hostileTensorsAreRefused(_ hostile: Case) throws {
        let reason = try #require(importRefusal(hostile.bytes))
        #expect(reason.contains(hostile.testDescription), "\(reason)")
    }

    /// A small file that claims a network of gigabytes, by showing one value many times or one storage in many tensors.
    @Test func aSmallFileMakesNoLargeNetwork() throws {
        var network = Architecture()
        network.width = 512
        let value = Pickled.storage("FloatStorage", "output.weight", 216)
        for repeating in [true, false] {
            let tensors = network.tensors.map { spec in
                let shape = repeating ? spec.shape : [6, 6, 6]
                let strides = repeating ? shape.map { _ in 0 } : [36, 6, 1]
                return (spec.name, Pickled.tensor(storage: value, shape: shape, strides: strides))
            }
            let reason = try #require(importRefusal(Self.checkpoint.torchFile(Pickled.dictionary(tensors)).bytes))
            #expect(reason.contains(repeating ? "do not lie in 864 bytes" : "more than the file"), "\(reason)")
        }
    }

    // MARK: pickles

    private static func pickle(_ expected: String, _ body: [UInt8]) -> Case {
        Case(expected, checkpoint.torchFile(body).bytes)
    }

    private static func repeated(_ bytes: [UInt8], _ count: Int) -> [UInt8] {
        Array(repeatElement(bytes, count: count).joined())
    }

    static let pickleCases = [
        pickle(
            "names \"posix.system\", which is not known",
            Pickled.call("posix", "system", Pickled.text("touch /tmp/x"))),
        pickle("names \"os.system\"", Pickled.text("os") + Pickled.text("system") + [0x93]),
        pickle("names \"builtins.eval\"", Pickled.global("builtins", "eval")),
        pickle("names \"builtins.getattr\"", Pickled.global("builtins", "getattr")),
        pickle("names \"torch.hub.load\"", Pickled.global("torch.hub", "load")),
        pickle("names \"lightning.os.system\"", Pickled.text("lightning") + Pickled.text("os.system") + [0x93]),
        pickle("names \"?[31m.?\"", Pickled.global("\u{1B}[31m", "\u{7}")),
        pickle("a name is cut off or too long", [0x63] + repeated([0x41], 100_000)),
        pickle("a global's name is no text", [0x4E, 0x4E, 0x93]),
        pickle("opcode 0x69 is none", Array("i__main__\nX\n".utf8)),
        pickle("opcode 0x50 is none", Array("Pstorage\n".utf8)),
        pickle("opcode 0x82 is none", [0x82, 1]),
        pickle("opcode 0x97 is none", [0x97]),
        pickle("the pickle is cut off", [0x58, 0xFF, 0xFF, 0xFF, 0xFF]),
        pickle("the pickle is cut off", [0x8D] + repeated([0xFF], 8)),
        pickle("the pickle is cut off", [0x8B, 0xFF, 0xFF, 0xFF, 0x7F]),
        pickle("the pickle is cut off", [0x96] + repeated([0xFF], 7) + [0x7F]),
        pickle("the stack is empty", []),
        pickle("the stack is empty", [0x30]),
        pickle("the stack is empty", [0x4E, 0x28, 0x30]),
        pickle("the stack is empty", [0x4E, 0x28, 0x85]),
        pickle("there is no mark", [0x74]),
        pickle("memo 7 is empty", [0x68, 7]),
        pickle("a key without a value", [0x7D, 0x28, 0x4E, 0x75]),
        pickle("items for what is no list", [0x4E, 0x4B, 1, 0x4E, 0x61]),
        pickle("items for what is no dictionary", [0x5D, 0x4E, 0x4E, 0x73]),
        pickle("a call of what is no function", [0x4B, 1, 0x29, 0x52]),
        pickle("a parameter of no tensor", Pickled.call("torch._utils", "_rebuild_parameter", [0x4E])),
        pickle("arguments that are no tuple", Pickled.global("torch._utils", "_rebuild_tensor_v2") + [0x4E, 0x52]),
        pickle("a tensor's arguments are malformed", Pickled.call("torch._utils", "_rebuild_tensor_v2", state)),
        pickle("arguments that are no tuple", [0x4E, 0x51]),
        pickle("a storage's name is malformed", [0x29, 0x51]),
        pickle("pickle has more than", repeated([0x4E], 2_000_000)),
        // Nesting of any depth, values that hold themselves or each other many times over.
        pickle("holds no dictionary", [0x5D] + repeated([0x85], 500_000)),
        pickle("holds no dictionary", [0x29] + repeated([0x32, 0x86], 300_000)),
        pickle("holds no dictionary", [0x5D, 0x32, 0x61]),
        pickle("holds no dictionary", repeated([0x28], 1_000_000) + [0x4E]),
        pickle("no tensor is called", [0x7D, 0x71, 0] + Pickled.text("a") + [0x68, 0, 0x73]),
        pickle("has more than 1048576 entries", bush),
    ]

    /// Dictionaries of a thousand entries, each of which is one dictionary of a thousand entries.
    private static let bush: [UInt8] = {
        let inner = Pickled.dictionary((0..<1000).map { ("\($0)", [0x4E]) }) + [0x71, 0]
        let middle = Pickled.dictionary((0..<1000).map { ("\($0)", $0 == 0 ? inner : [0x68, 0]) }) + [0x71, 1]
        return Pickled.dictionary((0..<1000).map { ("\($0)", $0 == 0 ? middle : [0x68, 1]) })
    }()

    @Test(arguments: pickleCases) func hostilePicklesAreRefused(_ hostile: Case) throws {
        let reason = try #require(importRefusal(hostile.bytes))
        #expect(reason.contains(hostile.testDescription), "\(reason)")
    }

    // MARK: costs

    /// Files that would take gigabytes or minutes if each use of a text copied it, or if its parts were put together
    /// anew.
    static let costlyCases = [
        // A long text that is memorized, as what names a storage, as the name of a storage, and as a dictionary's.
        pickle("a name has 1000000 bytes, expected at most 1024", storage(long, "0") + again(3000)),
        pickle("no tensor is called", storage(Pickled.text("storage"), long) + again(3000) + Pickled.dictionary([])),
        pickle("a name has 1000000 bytes, expected at most 1024", dictionaries(named: long)),
        Case(
            "a name has 1000000 bytes, expected at most 1024",
            legacy(keys: [0x28] + long + [0x71, 0] + repeated([0x68, 0], 3000) + [0x6C])),
        // The same with the longest that are names.
        pickle(
            "no tensor is called",
            storage(Pickled.text("storage"), text(1024)) + again(300_000) + Pickled.dictionary([])),
        pickle("names of more than 16777216 bytes", dictionaries(named: text(1024), 500_000)),
        Case("is missing", legacy(keys: [0x28] + text(1024) + [0x71, 0] + repeated([0x68, 0], 1_000_000) + [0x6C])),
        // Names of globals with many dots.
        pickle("a name has 8000 bytes, expected at most 256", text(8000, of: ".") + text(1) + [0x93]),
        pickle(
            "no tensor is called",
            Pickled.text("torch.nn") + [0x71, 0] + Pickled.text(String(repeating: "x", count: 256)) + [0x71, 1]
                + repeated([0x68, 0, 0x68, 1, 0x93, 0x30], 200_000) + Pickled.dictionary([])),
        pickle(
            "no tensor is called",
            Pickled.text("torch.nn" + String(repeating: ".", count: 248)) + [0x71, 0] + text(1) + [0x71, 1]
                + repeated([0x68, 0, 0x68, 1, 0x93, 0x30], 200_000) + Pickled.dictionary([])),
        Case(
            "more than 262144 values",
            Checkpoint.file(header: #"{"a":["# + String(repeating: "0,", count: 4 << 20) + "0]}", data: [])),
        Case(
            "more than 262144 values",
            Checkpoint.file(header: "{" + (0..<500_000).map { "\"\($0)\":{}" }.joined(separator: ",") + "}", data: [])),
    ]

    private static func text(_ count: Int, of character: Character = "x") -> [UInt8] {
        Pickled.text(String(repeating: character, count: count))
    }

    private static let long = text(1_000_000)

    /// The name of a storage, which is memorized.
    private static func storage(_ kind: [UInt8], _ key: [UInt8]) -> [UInt8] {
        let type = Pickled.global("torch", "FloatStorage")
        return Pickled.tuple(kind, type, key, Pickled.text("cpu"), Pickled.integer(1)) + [0x71, 0, 0x30]
    }

    private static func storage(_ kind: [UInt8], _ key: String) -> [UInt8] { storage(kind, Pickled.text(key)) }

    /// As many storages of the name that is memorized.
    private static func again(_ count: Int) -> [UInt8] { repeated([0x68, 0, 0x51, 0x30], count) }

    /// A dictionary of as many uses of one dictionary, under one name.
    private static func dictionaries(named name: [UInt8], _ count: Int = 3000) -> [UInt8] {
        name + [0x71, 0, 0x30, 0x7D, 0x71, 1, 0x30, 0x7D, 0x28] + repeated([0x68, 0, 0x68, 1], count) + [0x75]
    }

    /// A file in the format before 1.6.
    private static func legacy(keys: [UInt8]) -> [UInt8] {
        let magic: [UInt8] = [
            0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E,
            0x80, 2, 0x4D, 0xE9, 3, 0x2E,
        ]
        let system = Pickled.dictionary([("little_endian", [0x88])])
        return [magic, Pickled.file(system), Pickled.file(Pickled.dictionary([])), Pickled.file(keys)].flatMap { $0 }
    }

    // MARK: archives

    private static func archive(_ expected: String, _ change: (inout ZipFile) -> Void) -> Case {
        var file = checkpoint.torchFile()
        change(&file)
        return Case(expected, file.bytes)
    }

    static let archiveCases = [
        archive("\"x/data.pkl\" is compressed") { $0.entries[0].method = 8 },
        archive("\"x/data.pkl\" is encrypted") { $0.entries[0].flags = 1 },
        archive("checksum is wrong") { $0.entries[0].checksum = 1 },
        archive("checksum is wrong") { $0.entries[2].checksum = 1 },
        archive("overlaps another entry") { $0.entries[2].size = $0.entries[2].content.count + 1 },
        archive("do not lie before the zip directory") { $0.entries[2].size = 0xFFFF_FFFE },
        archive("has no zip64 sizes") { $0.entries[2].size = 0xFFFF_FFFF },
        archive("do not lie before the zip directory") {
            $0.isLong = true
            $0.entries[2].size = -1
        },
        archive("is twice in the zip directory") { $0.entries.append($0.entries[0]) },
        archive("has another name in its own header") { $0.entries[0].nameInHeader = "x/data.pkx" },
        archive("2 files named data.pkl") { $0.entries.append(.init("y/data.pkl", [])) },
        archive("0 files named data.pkl") { $0.entries.removeFirst() },
        archive("byte order is \"big\"") { $0.entries[1].content = Array("big".utf8) },
        archive("is not in the zip archive") { $0.entries.removeLast() },
    ]

    @Test(arguments: archiveCases) func hostileArchivesAreRefused(_ hostile: Case) throws {
        let reason = try #require(importRefusal(hostile.bytes))
        #expect(reason.contains(hostile.testDescription), "\(reason)")
    }

    @Test func foreignFilesAreRefused() throws {
        let tar = [UInt8](repeating: 0, count: 257) + Array("ustar".utf8)
        let texts = ["PK", "PK\u{5}\u{6}", "text, and no checkpoint"].map { Array($0.utf8) }
        for bytes in [[], [0x50], tar] + texts {
            #expect(importRefusal(bytes) != nil)
        }
        #expect(importRefusal(tar)?.contains("before 0.1.10") == true)
    }

    // MARK: chance

    @Test func truncationsAreRefused() throws {
        let file = Self.checkpoint.torchFile().bytes, legacy = try fixture("legacy.pth")
        let directory = file.count - 80 * Self.checkpoint.tensors.count
        for length in Array(stride(from: 0, to: directory, by: 97)) + Array(directory..<file.count) {
            #expect(importRefusal(Array(file.prefix(length))) != nil, "\(length) bytes")
        }
        for length in Array(0..<500) + Array(stride(from: 500, to: legacy.count, by: 499)) {
            #expect(importRefusal(Array(legacy.prefix(length))) != nil, "\(length) bytes")
        }
    }

    @Test func damagedContentIsRefused() throws {
        let file = try fixture("lightning.ckpt")
        var random = Random(seed: 8)
        // The pickle comes first, and then the weights.
        for _ in 0..<200 {
            var damaged = file
            damaged[Int.random(in: 100..<70_000, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            #expect(importRefusal(damaged) != nil)
        }
    }

    /// Without checksums, so that damage reaches what is behind them.
    @Test func randomDamageNeverCrashes() throws {
        var zip = Self.checkpoint.torchFile()
        for n in zip.entries.indices { zip.entries[n].checksum = 0 }
        let bytes = zip.bytes, legacy = try fixture("legacy.pth")
        let pickle = 40..<40 + zip.entries[0].content.count
        let directory = bytes.count - 80 * zip.entries.count..<bytes.count
        var random = Random(seed: 9)
        for (file, range, count) in [(bytes, pickle, 600), (bytes, directory, 600), (legacy, 0..<24_000, 600)] {
            for _ in 0..<count {
                var damaged = file
                for _ in 0..<Int.random(in: 1...3, using: &random) {
                    damaged[Int.random(in: range, using: &random)] = UInt8.random(in: 0...255, using: &random)
                }
                _ = importRefusal(damaged, skippingUnknown: true)
            }
        }
    }
}
