import MirlWeights

/// A reader of Python's pickles that runs nothing: it keeps dictionaries, sequences, texts, integers and tensors, and
/// passes over all else. Values refer to each other by number, so that no depth of nesting costs any stack.
struct Pickle {
    enum Value {
        /// What no weights depend on.
        case inert
        case boolean(Bool)
        case integer(Int)
        /// Where its UTF-8 lies in the pickle.
        case text(Range<Int>)
        case global(PickleGlobal)
        /// Numbers of elements of the arrays below.
        case sequence(Int), dictionary(Int), storage(Int), tensor(Int)
    }

    /// A part of a file's bytes that stand for numbers of one type.
    struct Storage {
        let type: StorageType
        /// Where its name lies in the pickle.
        let key: Range<Int>
        /// in elements
        let count: Int
    }

    struct TensorView {
        let storage: Int
        /// in elements, as the strides
        let offset: Int
        let shape, strides: [Int]
    }

    private(set) var sequences: [[Value]] = []
    private(set) var dictionaries: [[(key: Value, value: Value)]] = []
    private(set) var storages: [Storage] = []
    private(set) var tensors: [TensorView] = []
    /// What the pickle says.
    private(set) var root = Value.inert
    /// Where the next byte to be read lies, in the end the first behind the pickle.
    private(set) var position: Int

    private let bytes: UnsafeRawBufferPointer
    private let skippingUnknown: Bool
    private var stack: [Value] = []
    /// Depths of the stack.
    private var marks: [Int] = []
    private var memo: [Int: Value] = [:]

    /// Some ten times what the paper's net takes with the states of its optimizer.
    private static let maximumOpcodes = 1 << 20
    /// Bytes of a global's module and of its name.
    private static let longestGlobal = 256

    /// Reads the pickle that begins at byte `start`. Unknown globals are refused unless `skippingUnknown`.
    init(_ bytes: UnsafeRawBufferPointer, at start: Int = 0, skippingUnknown: Bool) throws(PackError) {
        self.bytes = bytes
        self.skippingUnknown = skippingUnknown
        position = start
        for _ in 0..<Self.maximumOpcodes {
            let place = position
            do throws(PackError) {
                if try execute(opcode()) { return }
            } catch {
                throw PackError("pickle at byte \(place): \(error)")
            }
        }
        throw PackError("pickle has more than \(Self.maximumOpcodes) opcodes")
    }

    /// The text at `range`. What names a thing is short: a long text, used often, would take much memory and time.
    func name(_ range: Range<Int>, longest: Int = 1024) throws(PackError) -> String {
        guard range.count <= longest else {
            throw PackError("a name has \(range.count) bytes, expected at most \(longest)")
        }
        return String(decoding: bytes[range], as: UTF8.self)
    }
}

// Reading bytes.
extension Pickle {
    private mutating func opcode() throws(PackError) -> PickleOpcode {
        let code = bytes[try take(1).lowerBound]
        guard let opcode = PickleOpcode(rawValue: code) else {
            throw PackError("opcode \(hexadecimal(code)) is none that PyTorch writes")
        }
        return opcode
    }

    private mutating func take(_ count: Int) throws(PackError) -> Range<Int> {
        guard count <= bytes.count - position else { throw PackError("the pickle is cut off") }
        position += count
        return position - count..<position
    }

    /// A little-endian number of `size` bytes; one that no file is as long as is cut to what no file is as long as.
    private mutating func number(_ size: Int) throws(PackError) -> Int {
        let value = bytes[try take(size)].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return Int(clamping: value)
    }

    /// As many bytes as a number of `size` bytes before them says.
    private mutating func counted(_ size: Int) throws(PackError) -> Range<Int> { try take(number(size)) }

    /// A two's complement number; one of more than 64 bits is inert.
    private mutating func long(_ size: Int) throws(PackError) -> Value {
        let digits = bytes[try counted(size)]
        guard digits.count <= 8 else { return .inert }
        let extended = digits.last.map { $0 >= 0x80 } ?? false ? UInt64.max : 0
        return .integer(Int(truncatingIfNeeded: digits.reversed().reduce(extended) { $0 << 8 | UInt64($1) }))
    }

    private mutating func line() throws(PackError) -> String {
        let rest = bytes[position...].prefix(Self.longestGlobal + 1)
        guard let end = rest.firstIndex(of: 0x0A) else { throw PackError("a name is cut off or too long") }
        return try name(take(end + 1 - position).dropLast())
    }
}

// The machine: a stack, marks on it, and a memo.
extension Pickle {
    /// Returns whether that was the end.
    private mutating func execute(_ opcode: PickleOpcode) throws(PackError) -> Bool {
        switch opcode {
        case .proto, .frame: _ = try take(opcode == .proto ? 1 : 8)
        case .stop:
            root = try pop()
            return true

        case .none: stack.append(.inert)
        case .newTrue: stack.append(.boolean(true))
        case .newFalse: stack.append(.boolean(false))
        case .binInt: stack.append(.integer(Int(Int32(truncatingIfNeeded: try number(4)))))
        case .binInt1: stack.append(.integer(try number(1)))
        case .binInt2: stack.append(.integer(try number(2)))
        case .long1: stack.append(try long(1))
        case .long4: stack.append(try long(4))
        case .binFloat:
            _ = try take(8)
            stack.append(.inert)
        case .shortBinUnicode, .shortBinString: stack.append(.text(try counted(1)))
        case .binUnicode, .binString: stack.append(.text(try counted(4)))
        case .binUnicode8: stack.append(.text(try counted(8)))
        case .shortBinBytes, .binBytes, .binBytes8, .byteArray8:
            _ = try counted(opcode == .shortBinBytes ? 1 : opcode == .binBytes ? 4 : 8)
            stack.append(.inert)

        case .pop: _ = try pop()
        case .dup: stack.append(try top())
        case .mark: marks.append(stack.count)
        case .popMark: _ = try popItems()
        case .memoize: memo[memo.count] = try top()
        case .binPut: memo[try number(1)] = try top()
        case .longBinPut: memo[try number(4)] = try top()
        case .binGet: stack.append(try remembered(number(1)))
        case .longBinGet: stack.append(try remembered(number(4)))

        case .emptyTuple, .emptyList: push(sequence: [])
        case .tuple1: push(sequence: try pop(1))
        case .tuple2: push(sequence: try pop(2))
        case .tuple3: push(sequence: try pop(3))
        case .tuple, .list: push(sequence: try popItems())
        case .append: try append(pop(1))
        case .appends: try append(popItems())
        case .emptyDict: pushDictionary()
        case .dict:
            let items = try popItems()
            pushDictionary()
            try set(items)
        case .setItem: try set(pop(2))
        case .setItems: try set(popItems())
        case .emptySet: stack.append(.inert)
        case .frozenSet:
            _ = try popItems()
            stack.append(.inert)
        case .addItems: _ = try popItems()

        case .global: try push(global: line(), line())
        case .stackGlobal: try pushGlobal(pop(2))
        case .reduce, .newObj: try call(pop(2))
        case .newObjEx: try call(Array(pop(3).dropLast()))
        // What is built here has its state in its arguments; the rest is of no use.
        case .build: _ = try pop(2).first.map { stack.append($0) }
        case .binPersID: try pushStorage(pop())
        }
        return false
    }

    private func top() throws(PackError) -> Value {
        guard stack.count > marks.last ?? 0, let value = stack.last else { throw PackError("the stack is empty") }
        return value
    }

    private mutating func pop() throws(PackError) -> Value {
        let value = try top()
        stack.removeLast()
        return value
    }

    private mutating func pop(_ count: Int) throws(PackError) -> [Value] {
        guard stack.count - (marks.last ?? 0) >= count else { throw PackError("the stack is empty") }
        defer { stack.removeLast(count) }
        return Array(stack.suffix(count))
    }

    /// What lies above the last mark.
    private mutating func popItems() throws(PackError) -> [Value] {
        guard let mark = marks.popLast() else { throw PackError("there is no mark") }
        defer { stack.removeLast(stack.count - mark) }
        return Array(stack[mark...])
    }

    private func remembered(_ number: Int) throws(PackError) -> Value {
        guard let value = memo[number] else { throw PackError("memo \(number) is empty") }
        return value
    }

    private mutating func push(sequence: [Value]) {
        stack.append(.sequence(sequences.count))
        sequences.append(sequence)
    }

    private mutating func pushDictionary() {
        stack.append(.dictionary(dictionaries.count))
        dictionaries.append([])
    }

    private mutating func append(_ items: [Value]) throws(PackError) {
        switch try top() {
        case .sequence(let number): sequences[number] += items
        case .inert: break
        default: throw PackError("items for what is no list")
        }
    }

    private mutating func set(_ items: [Value]) throws(PackError) {
        guard items.count % 2 == 0 else { throw PackError("a key without a value") }
        switch try top() {
        case .dictionary(let number):
            for n in stride(from: 0, to: items.count, by: 2) { dictionaries[number].append((items[n], items[n + 1])) }
        case .inert: break
        default: throw PackError("items for what is no dictionary")
        }
    }
}

// The few calls that mean something here.
extension Pickle {
    private mutating func pushGlobal(_ names: [Value]) throws(PackError) {
        guard case .text(let module) = names[0], case .text(let name) = names[1] else {
            throw PackError("a global's name is no text")
        }
        try push(global: self.name(module, longest: Self.longestGlobal), self.name(name, longest: Self.longestGlobal))
    }

    private mutating func push(global module: String, _ name: String) throws(PackError) {
        let known = PickleGlobal(module: module, name: name)
        guard let global = known ?? (skippingUnknown ? .inert : nil) else {
            let full = printable("\(module).\(name)".utf8)
            throw PackError("names \(full), which is not known to belong in a checkpoint; nothing was run")
        }
        stack.append(.global(global))
    }

    /// `call` is a callable and its arguments.
    private mutating func call(_ call: [Value]) throws(PackError) {
        switch call[0] {
        case .global(.dictionary): pushDictionary()
        case .global(.tensor): try pushTensor(arguments(call[1]))
        case .global(.parameter):
            guard case .tensor(let number)? = try arguments(call[1]).first else {
                throw PackError("a parameter of no tensor")
            }
            stack.append(.tensor(number))
        case .global(.inert), .global(.storage), .inert: stack.append(.inert)
        default: throw PackError("a call of what is no function")
        }
    }

    private func arguments(_ value: Value) throws(PackError) -> [Value] {
        guard case .sequence(let number) = value else { throw PackError("arguments that are no tuple") }
        return sequences[number]
    }

    private mutating func pushTensor(_ arguments: [Value]) throws(PackError) {
        guard arguments.count >= 4, case .storage(let storage) = arguments[0], case .integer(let offset) = arguments[1],
            let shape = sizes(arguments[2]), let strides = sizes(arguments[3]), shape.count == strides.count
        else { throw PackError("a tensor's arguments are malformed") }
        stack.append(.tensor(tensors.count))
        tensors.append(TensorView(storage: storage, offset: offset, shape: shape, strides: strides))
    }

    /// The numbers of a short tuple.
    private func sizes(_ value: Value) -> [Int]? {
        guard case .sequence(let number) = value, sequences[number].count <= 8 else { return nil }
        let numbers = sequences[number].compactMap { if case .integer(let size) = $0 { size } else { nil } }
        return numbers.count == sequences[number].count ? numbers : nil
    }

    /// `id` is ("storage", type, key, device, count), in the format before 1.6 with a view behind it, which is None.
    private mutating func pushStorage(_ id: Value) throws(PackError) {
        let parts = try arguments(id)
        guard parts.count >= 5, case .text(let kind) = parts[0], try name(kind) == "storage",
            case .text(let key) = parts[2], case .integer(let count) = parts[4]
        else { throw PackError("a storage's name is malformed") }
        if parts.count > 5, case .inert = parts[5] {} else if parts.count > 5 { throw PackError("a view of a storage") }
        guard case .global(.storage(let type)) = parts[1] else {
            stack.append(.inert)
            return
        }
        stack.append(.storage(storages.count))
        storages.append(Storage(type: type, key: key, count: count))
    }
}
