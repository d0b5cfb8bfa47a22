// PyTorch's checkpoints written byte by byte, so that tests can write what PyTorch never would.
import MirlPacking
import MirlWeights

/// Pieces of pickles in protocol 2.
public enum Pickled {
    public static func file(_ body: [UInt8]) -> [UInt8] { [0x80, 2] + body + [0x2E] }

    public static func text(_ text: String) -> [UInt8] { [0x58] + little(text.utf8.count, 4) + Array(text.utf8) }

    public static func integer(_ number: Int) -> [UInt8] { [0x8A, 8] + little(number, 8) }

    public static func tuple(_ items: [UInt8]...) -> [UInt8] { [0x28] + items.flatMap { $0 } + [0x74] }

    public static func tuple(_ numbers: [Int]) -> [UInt8] { [0x28] + numbers.flatMap(integer) + [0x74] }

    public static func global(_ module: String, _ name: String) -> [UInt8] { Array("c\(module)\n\(name)\n".utf8) }

    public static func call(_ module: String, _ name: String, _ arguments: [UInt8]...) -> [UInt8] {
        global(module, name) + [0x28] + arguments.flatMap { $0 } + [0x74, 0x52]
    }

    public static func dictionary(_ items: [(String, [UInt8])]) -> [UInt8] {
        [0x7D, 0x28] + items.flatMap { text($0) + $1 } + [0x75]
    }

    public static func storage(_ type: String, _ key: String, _ count: Int) -> [UInt8] {
        tuple(text("storage"), global("torch", type), text(key), text("cpu"), integer(count)) + [0x51]
    }

    public static func tensor(storage: [UInt8], offset: Int = 0, shape: [Int], strides: [Int]) -> [UInt8] {
        call(
            "torch._utils", "_rebuild_tensor_v2", storage, integer(offset), tuple(shape), tuple(strides), [0x89],
            call("collections", "OrderedDict"))
    }

    private static func little(_ number: Int, _ size: Int) -> [UInt8] {
        (0..<size).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }
}

/// A zip archive whose every field can be wrong.
public struct ZipFile {
    public struct Entry {
        public var name: String
        public var content: [UInt8]
        public var method = 0, flags = 0
        /// What the directory says, where that is not the truth.
        public var checksum: UInt32?
        public var size: Int?
        public var nameInHeader: String?

        public init(_ name: String, _ content: [UInt8]) {
            self.name = name
            self.content = content
        }
    }

    public var entries: [Entry]
    /// Whether sizes and places are written where those above 4 GiB would be.
    public var isLong = false

    public init(_ entries: [Entry]) { self.entries = entries }

    public var bytes: [UInt8] {
        var bytes: [UInt8] = [], directory: [UInt8] = []
        for entry in entries {
            directory += record(entry, header: bytes.count)
            bytes += localHeader(entry) + entry.content
        }
        let start = bytes.count, end = start + directory.count
        bytes += directory
        if isLong {
            bytes += fields((0x0606_4B50, 4), (44, 8), (45, 2), (45, 2), (0, 8), (entries.count, 8), (entries.count, 8))
            bytes += fields((directory.count, 8), (start, 8), (0x0706_4B50, 4), (0, 4), (end, 8), (1, 4))
        }
        bytes += fields((0x0605_4B50, 4), (0, 4), (entries.count, 2), (entries.count, 2))
        return bytes + fields((directory.count, 4), (isLong ? 0xFFFF_FFFF : start, 4), (0, 2))
    }

    private func localHeader(_ entry: Entry) -> [UInt8] {
        let name = Array((entry.nameInHeader ?? entry.name).utf8)
        let sizes = fields((0, 16), (name.count, 2), (0, 2))
        return fields((0x0403_4B50, 4), (20, 2), (entry.flags, 2), (entry.method, 2)) + sizes + name
    }

    private func record(_ entry: Entry, header: Int) -> [UInt8] {
        let name = Array(entry.name.utf8), size = entry.size ?? entry.content.count
        let checksum = entry.checksum ?? entry.content.withUnsafeBytes { crc32($0) }
        let extra = isLong ? fields((1, 2), (24, 2), (size, 8), (size, 8), (header, 8)) : []
        let short = isLong ? 0xFFFF_FFFF : size
        return fields((0x0201_4B50, 4), (20, 2), (20, 2), (entry.flags, 2), (entry.method, 2), (0, 4))
            + fields((Int(checksum), 4), (short, 4), (short, 4), (name.count, 2), (extra.count, 2))
            + fields((0, 10), (isLong ? 0xFFFF_FFFF : header, 4))
            + name + extra
    }

    private func fields(_ fields: (value: Int, size: Int)...) -> [UInt8] {
        fields.flatMap { field in
            (0..<field.size).map { $0 < 8 ? UInt8(truncatingIfNeeded: field.value >> (8 * $0)) : 0 }
        }
    }
}

extension Checkpoint {
    /// The tensors' pickles, each with a storage of its own that is called as the tensor.
    public var pickledTensors: [(String, [UInt8])] {
        tensors.sorted { $0.key < $1.key }.map { name, tensor in
            let strides = tensor.shape.indices.map { tensor.shape[($0 + 1)...].reduce(1, *) }
            let storage = Pickled.storage("FloatStorage", name, tensor.bytes.count / 4)
            return (name, Pickled.tensor(storage: storage, shape: tensor.shape, strides: strides))
        }
    }

    /// What `torch.save` would write of an object with this pickle and the tensors' storages.
    public func torchFile(_ pickle: [UInt8]) -> ZipFile {
        let storages = tensors.sorted { $0.key < $1.key }.map { ZipFile.Entry("x/data/\($0)", $1.bytes) }
        let saved = ZipFile.Entry("x/data.pkl", Pickled.file(pickle))
        return ZipFile([saved, .init("x/byteorder", Array("little".utf8))] + storages)
    }

    /// The same of the state dict, with `changes` in it.
    public func torchFile(_ changes: [String: [UInt8]] = [:]) -> ZipFile {
        torchFile(Pickled.dictionary(pickledTensors.map { ($0, changes[$0] ?? $1) }))
    }
}
