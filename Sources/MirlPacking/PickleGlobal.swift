/// What a pickle may name: a few things that this reader understands, and things that checkpoints hold beside weights.
enum PickleGlobal {
    case dictionary
    /// `torch._utils._rebuild_tensor_v2(storage, offset, size, stride, ...)`
    case tensor
    /// `torch._utils._rebuild_parameter(tensor, ...)`
    case parameter
    case storage(StorageType)
    /// Known or let pass, and of no use here: what is made of it is ignored.
    case inert

    /// The meaning of the name `global` in `module`; nil if it is not known.
    init?(module: String, name: String) {
        if module == "torch" || module == "torch.cuda", let type = StorageType(name) {
            self = .storage(type)
            return
        }
        switch "\(module).\(name)" {
        case "collections.OrderedDict": self = .dictionary
        case "torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2": self = .tensor
        case "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state": self = .parameter
        default:
            guard Self.isHarmless(module: module, name: name) else { return nil }
            self = .inert
        }
    }

    private static func isHarmless(module: String, name: String) -> Bool {
        if harmless.contains("\(module).\(name)") { return true }
        guard !name.contains(".") else { return false }
        // No module in the list is deeper.
        let parts = module.split(separator: ".", maxSplits: 2, omittingEmptySubsequences: false).prefix(2)
        return (1...parts.count).contains { harmless.contains(parts.prefix($0).joined(separator: ".") + ".*") }
    }

    /// Names in Python, with those of Python 2; `.*` stands for all in a module and in those within it. Nothing of
    /// them is run. What is not listed is refused only because no weights need it.
    private static let harmless: Set<String> = {
        let builtins = [
            "bool", "bytearray", "bytes", "complex", "dict", "float", "frozenset", "int", "list", "long", "object",
            "range", "set", "slice", "str", "tuple", "unicode", "xrange",
        ]
        let types = [
            "bfloat16", "bool", "complex128", "complex32", "complex64", "double", "float", "float16", "float32",
            "float64", "half", "int", "int16", "int32", "int64", "int8", "long", "short", "uint8",
        ]
        return Set(builtins.flatMap { ["builtins.\($0)", "__builtin__.\($0)"] } + types.map { "torch.\($0)" }).union([
            "_codecs.encode", "argparse.Namespace", "collections.Counter", "collections.defaultdict",
            "collections.deque", "copy_reg._reconstructor", "copyreg._reconstructor", "datetime.*", "decimal.Decimal",
            "easydict.EasyDict", "fractions.Fraction", "functools.partial", "lightning.*", "lightning_fabric.*",
            "numpy._core.multiarray._reconstruct", "numpy._core.multiarray.scalar",
            "numpy.core.multiarray._reconstruct", "numpy.core.multiarray.scalar", "numpy.dtype", "numpy.dtypes.*",
            "numpy.ndarray", "omegaconf.*", "pathlib.*", "pytorch_lightning.*", "torch.Size", "torch.Tensor",
            "torch._tensor._rebuild_from_type_v2", "torch.device", "torch.nn.*", "torch.optim.*",
            "torch.serialization._get_layout", "torch.storage.TypedStorage", "torch.storage.UntypedStorage",
            "torch.storage._TypedStorage", "torch.storage._UntypedStorage", "typing.*", "types.SimpleNamespace",
            "uuid.UUID", "yacs.config.CfgNode",
        ])
    }()
}

/// What a storage holds, by the name of its class in PyTorch.
struct StorageType {
    let name: String
    /// Bytes of one element.
    let size: Int
    /// nil if no weights can be made of it.
    let element: ElementType?

    private static let sizes = [
        "BoolStorage": 1, "ByteStorage": 1, "CharStorage": 1, "ComplexDoubleStorage": 16, "ComplexFloatStorage": 8,
        "IntStorage": 4, "LongStorage": 8, "QInt32Storage": 4, "QInt8Storage": 1, "QUInt8Storage": 1,
        "ShortStorage": 2, "UntypedStorage": 1,
    ]
    private static let elements: [String: ElementType] = [
        "BFloat16Storage": .bfloat16, "DoubleStorage": .float64, "FloatStorage": .float32, "HalfStorage": .float16,
    ]

    init?(_ name: String) {
        element = Self.elements[name]
        guard let size = element?.size ?? Self.sizes[name] else { return nil }
        self.name = name
        self.size = size
    }
}
