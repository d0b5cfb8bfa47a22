// Imports a checkpoint of any origin as a weight file.
import MirlWeights

/// The weight file of the checkpoint at `path`: a safetensors file or what `torch.save` wrote, a state dict or a
/// dictionary that holds one, as a Lightning checkpoint is. Nothing in the checkpoint is run.
///
/// The network's tensors are those whose names begin with `prefix`, or, if that is nil, with whatever stands before
/// `patch_embed.proj.weight`. Globals that do not belong in a checkpoint are refused unless `skippingUnknown`.
public func importCheckpoint(
    _ path: String, prefix: String? = nil, skippingUnknown: Bool = false, _ options: PackOptions
) throws(PackError) -> [UInt8] {
    try withFile(path) { bytes throws(PackError) in
        try importCheckpoint(bytes, prefix: prefix, skippingUnknown: skippingUnknown, options)
    }
}

/// The same from memory.
public func importCheckpoint(
    _ bytes: UnsafeRawBufferPointer, prefix: String? = nil, skippingUnknown: Bool = false, _ options: PackOptions
) throws(PackError) -> [UInt8] {
    try pack(StateDict(importing: bytes, prefix: prefix, skippingUnknown: skippingUnknown), options)
}

extension StateDict {
    /// So that no file makes the search for those inside another one take long.
    private static let mostNetworks = 100

    /// The network's tensors in the file that is `bytes`, into which they point.
    init(importing bytes: UnsafeRawBufferPointer, prefix: String?, skippingUnknown: Bool) throws(PackError) {
        let source = try openCheckpoint(bytes, skippingUnknown: skippingUnknown)
        let prefixes = Self.networkPrefixes(source.names)
        guard prefixes.count <= Self.mostNetworks else { throw PackError("more than \(Self.mostNetworks) networks") }
        let prefix = if let prefix { prefix } else { try Self.only(prefixes) }
        let inner = prefixes.filter { $0.count > prefix.count }  // other networks, inside this one
        let names = source.names.filter { name in name.hasPrefix(prefix) && !inner.contains { name.hasPrefix($0) } }
        guard !names.isEmpty else {
            let within = inner.filter { $0.hasPrefix(prefix) }
            throw PackError(
                within.isEmpty
                    ? "no tensor's name begins with \(printable(prefix.utf8))"
                    : "the network's tensors have names that begin with \(Self.list(within)); choose those by --prefix"
            )
        }
        metadata = source.metadata
        for (name, tensor) in try source.tensors(names) { tensors[String(name.dropFirst(prefix.count))] = tensor }
        // Tensors that share their bytes would make more of the file than there is.
        var left = bytes.count
        for tensor in tensors.values {
            guard let size = product(tensor.shape, tensor.type.size), size <= left else {
                throw PackError("tensors take more than the file")
            }
            left -= size
        }
    }

    /// The network's first tensor, which no other part has.
    private static let first = "patch_embed.proj.weight"

    private static func networkPrefixes(_ names: [String]) -> [String] {
        names.filter { $0 == first || $0.hasSuffix("." + first) }.map { String($0.dropLast(first.count)) }
    }

    private static func only(_ prefixes: [String]) throws(PackError) -> String {
        guard let prefix = prefixes.first else {
            throw PackError("no tensor is called \(first): not a PromptIR network")
        }
        guard prefixes.count == 1 else {
            throw PackError(
                "several networks, whose tensors' names begin with \(list(prefixes)); choose one with --prefix")
        }
        return prefix
    }

    private static func list(_ prefixes: [String]) -> String {
        prefixes.sorted().prefix(10).map { printable($0.utf8) }.joined(separator: ", ")
    }
}

/// A file with named tensors.
protocol CheckpointFile {
    var metadata: [String: String] { get }
    var names: [String] { get }
    /// The tensors called so, which are some of `names`.
    func tensors(_ names: [String]) throws(PackError) -> [String: Tensor]
}

extension TorchCheckpoint: CheckpointFile {
    var metadata: [String: String] { [:] }
}

extension Safetensors: CheckpointFile {}

/// Knows a file's format by how it begins.
private func openCheckpoint(
    _ bytes: UnsafeRawBufferPointer, skippingUnknown: Bool
) throws(PackError) -> any CheckpointFile {
    if bytes.starts(with: "PK\u{3}\u{4}".utf8) {
        return try TorchCheckpoint(zip: bytes, skippingUnknown: skippingUnknown)
    }
    if bytes.starts(with: TorchCheckpoint.legacyMagic) {
        return try TorchCheckpoint(legacy: bytes, skippingUnknown: skippingUnknown)
    }
    if bytes.count > 8, bytes[8] == UInt8(ascii: "{") { return try Safetensors(bytes) }
    if bytes.count >= 262, bytes[257..<262].elementsEqual("ustar".utf8) {
        throw PackError("format of PyTorch before 0.1.10 (tar); load it there and save it anew")
    }
    throw PackError("neither a PyTorch checkpoint nor a safetensors file")
}
