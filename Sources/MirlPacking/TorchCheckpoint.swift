import MirlWeights

/// A checkpoint that `torch.save` wrote: a pickle of what was saved, and the storages that its tensors point into.
struct TorchCheckpoint {
    private let pickle: Pickle
    private let storages: Storages
    private let tensors: [String: Int]

    private enum Storages {
        /// in the zip archive, with what their names begin with
        case files(ZipArchive, root: String)
        /// parts of one file
        case parts([String: UnsafeRawBufferPointer])
    }

    /// The names of the tensors in the dictionary that was saved, those in dictionaries within it written
    /// `OUTER.INNER`.
    var names: [String] { Array(tensors.keys) }

    private init(_ pickle: Pickle, _ storages: Storages) throws(PackError) {
        self.pickle = pickle
        self.storages = storages
        tensors = try pickle.namedTensors()
    }

    /// Reads the zip archives that PyTorch has written since 1.6.
    init(zip bytes: UnsafeRawBufferPointer, skippingUnknown: Bool) throws(PackError) {
        let archive = try ZipArchive(bytes)
        let pickles = archive.entries.keys.filter { $0.hasSuffix("/data.pkl") }
        guard let name = pickles.first, pickles.count == 1 else {
            throw PackError("zip archive has \(pickles.count) files named data.pkl, expected one, as PyTorch writes it")
        }
        let root = String(name.dropLast("data.pkl".count))
        if archive.entries[root + "byteorder"] != nil {
            let order = try archive.content(of: root + "byteorder")
            guard order.elementsEqual("little".utf8) else {
                throw PackError("byte order is \(printable(order)), expected little")
            }
        }
        let pickle = try Pickle(archive.content(of: name), skippingUnknown: skippingUnknown)
        try self.init(pickle, .files(archive, root: root))
    }

    /// The pickled numbers 0x1950a86a20f9469cfc6c and 1001, by which PyTorch knows the format before 1.6.
    static let legacyMagic: [UInt8] = [
        0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E,
        0x80, 2, 0x4D, 0xE9, 3, 0x2E,
    ]

    /// Reads the format before 1.6: pickles of the system, what was saved, and the storages' keys, then the storages,
    /// each behind its number of elements.
    init(legacy bytes: UnsafeRawBufferPointer, skippingUnknown: Bool) throws(PackError) {
        let system = try Pickle(bytes, at: Self.legacyMagic.count, skippingUnknown: skippingUnknown)
        guard try system.says("little_endian") else { throw PackError("byte order is not said to be little") }
        let saved = try Pickle(bytes, at: system.position, skippingUnknown: skippingUnknown)
        let keys = try Pickle(bytes, at: saved.position, skippingUnknown: skippingUnknown)
        try self.init(saved, .parts(saved.parts(of: bytes, at: keys.position, in: keys)))
    }

    /// The tensors called so, which are some of `names`.
    func tensors(_ names: [String]) throws(PackError) -> [String: Tensor] {
        var contents: [String: UnsafeRawBufferPointer] = [:], result: [String: Tensor] = [:]
        for name in names {
            do throws(PackError) {
                let view = pickle.tensors[tensors[name]!], storage = pickle.storages[view.storage]
                guard let type = storage.type.element else {
                    throw PackError("has values of type \(storage.type.name), expected floats")
                }
                let key = try pickle.name(storage.key)
                let content = if let known = contents[key] { known } else { try self.content(of: key) }
                contents[key] = content
                guard product([storage.count], type.size) == content.count else {
                    let expected = "\(storage.count) elements of \(type.size)"
                    throw PackError("storage has \(content.count) bytes, expected \(expected)")
                }
                result[name] = try view.tensor(type, in: content)
            } catch {
                throw PackError("\(printable(name.utf8)): \(error)")
            }
        }
        return result
    }

    private func content(of key: String) throws(PackError) -> UnsafeRawBufferPointer {
        switch storages {
        case .files(let archive, let root): return try archive.content(of: "\(root)data/\(key)")
        case .parts(let parts):
            guard let part = parts[key] else { throw PackError("storage \(printable(key.utf8)) is missing") }
            return part
        }
    }
}

extension Pickle.TensorView {
    /// The tensor that the view shows of a storage, if it lies in there.
    fileprivate func tensor(_ type: ElementType, in storage: UnsafeRawBufferPointer) throws(PackError) -> Tensor {
        let place = "offset \(offset), shape \(shape), strides \(strides)"
        let outside = PackError("\(place) do not lie in \(storage.count) bytes")
        let elements = storage.count / type.size
        guard offset >= 0, offset <= elements, (shape + strides).allSatisfy({ $0 >= 0 }) else { throw outside }
        // Values that lie in one place several times are no weights, but a way to make much of a small file.
        guard let count = product(shape), count <= elements - offset else { throw outside }
        var last = offset
        for (size, stride) in zip(shape, strides) where count > 0 {
            guard let reach = product([size - 1, stride]), reach < elements - last else { throw outside }
            last += reach
        }
        let bytes = storage.slice(offset * type.size..<(count == 0 ? offset : last + 1) * type.size)
        return Tensor(type: type, shape: shape, strides: count == 0 || isInOrder ? nil : strides, bytes: bytes)
    }

    /// Whether the values, of which there are some, lie row after row without a gap.
    private var isInOrder: Bool {
        var next = 1
        for (size, stride) in zip(shape, strides).reversed() where size != 1 {
            guard stride == next else { return false }
            next *= size
        }
        return true
    }
}

extension Pickle {
    private static let deepest = 3, maximumEntries = 1 << 20, maximumNameBytes = 1 << 24

    /// The numbers of the tensors in the dictionary that the pickle is and in those in it.
    fileprivate func namedTensors() throws(PackError) -> [String: Int] {
        guard case .dictionary(let root) = root else {
            throw PackError("holds no dictionary of tensors; save the network's state_dict()")
        }
        var found: [String: Int] = [:]
        var rest = [(dictionary: root, prefix: "", depth: 1)], visited = 0, nameBytes = 0
        // A dictionary that is in many others makes many names of its own.
        func join(_ prefix: String, _ key: Range<Int>) throws(PackError) -> String {
            let joined = prefix + (try name(key))
            nameBytes += joined.utf8.count
            guard nameBytes <= Self.maximumNameBytes else {
                throw PackError("has names of more than \(Self.maximumNameBytes) bytes")
            }
            return joined
        }
        while let (dictionary, prefix, depth) = rest.popLast() {
            visited += dictionaries[dictionary].count
            guard visited <= Self.maximumEntries else {
                throw PackError("has more than \(Self.maximumEntries) entries")
            }
            for case (.text(let key), let value) in dictionaries[dictionary] {
                switch value {
                case .tensor(let number):
                    let name = try join(prefix, key)
                    guard found.updateValue(number, forKey: name) == nil else {
                        throw PackError("\(printable(name.utf8)) is there twice")
                    }
                case .dictionary(let number) where depth < Self.deepest:
                    rest.append((number, try join(prefix, key) + ".", depth + 1))
                default: break
                }
            }
        }
        return found
    }

    /// Whether the pickle is a dictionary in which `key` is true.
    fileprivate func says(_ key: String) throws(PackError) -> Bool {
        guard case .dictionary(let root) = root else { return false }
        for case (.text(let text), .boolean(true)) in dictionaries[root] {
            if try name(text) == key { return true }
        }
        return false
    }

    /// The storages in the order of the texts in the list that `keys` is, which lie one after another from `start` on.
    fileprivate func parts(
        of bytes: UnsafeRawBufferPointer, at start: Int, in keys: Pickle
    ) throws(PackError) -> [String: UnsafeRawBufferPointer] {
        guard case .sequence(let list) = keys.root else { return [:] }
        var types: [String: StorageType] = [:]
        for storage in storages { types[try name(storage.key)] = storage.type }
        var parts: [String: UnsafeRawBufferPointer] = [:], position = start
        for case .text(let text) in keys.sequences[list] {
            let key = try keys.name(text)
            guard let type = types[key], bytes.count - position >= 8 else {
                throw PackError("storage \(printable(key.utf8)) is missing, the file is cut off or damaged")
            }
            let count: Int64 = bytes.integer(at: position)
            position += 8
            guard count >= 0, let length = product([Int(count)], type.size), length <= bytes.count - position else {
                throw PackError("storage \(printable(key.utf8)) has \(count) elements, more than the file")
            }
            parts[key] = bytes.slice(position..<position + length)
            position += length
        }
        return parts
    }
}
