/// Where things lie in a weight file: shared by the reader and the packer, described in mirl-weights(5).
package enum Layout {
    /// "\x89MIRL\r\n\x1a": a text-mode copy, a cut of the eighth bit or a line-end conversion all damage it.
    package static let magic: UInt64 = 0x1A0A_0D4C_5249_4D89
    package static let version: UInt32 = 2
    package static let alignment = 64
    package static let maximumProvenance = 65536
    /// A layer's tables are made from columns of 16 bits; no architecture that `validate` lets pass has more.
    package static let maximumSparseColumns = 65536

    /// How the rows of a sparse matrix are cut into the fewest cells within which 8 bits tell a column: `width` columns
    /// in each, in the last one what is left. So evenly, as most often all then have as many, and one check does for all.
    package static func cells(columns: Int) -> (count: Int, width: Int) {
        let count = (columns + 255) / 256
        return (count, (columns + count - 1) / count)
    }

    package static func aligned(_ offset: Int) -> Int { (offset + alignment - 1) & -alignment }

    /// Byte offsets in the header.
    package enum Header {
        package static let magic = 0
        package static let version = 8
        package static let headerLength = 12
        package static let fileLength = 16
        package static let recordCount = 24
        package static let checksum = 28
        package static let width = 32
        package static let blocks = 36
        package static let refinement = 52
        package static let heads = 56
        package static let promptHeads = 72
        package static let promptComponents = 76
        package static let expansion = 80
        package static let promptChannels = 88
        package static let promptSizes = 100
        package static let provenanceLength = 112
        package static let reserved = 116
        package static let size = 128
    }

    /// Byte offsets in a record.
    package enum Record {
        package static let name = 0
        package static let nameSize = 56
        package static let sparse = 56
        package static let valueType = 58
        package static let rows = 60
        package static let columns = 64
        package static let count = 68
        package static let offset = 72
        package static let length = 80
        package static let checksum = 88
        package static let reserved = 92
        package static let size = 96
    }

    /// Byte offsets in a payload, from its beginning. Sparse: where each of `cells` starts and where the last one ends,
    /// the columns. Of 8 bits: a scale and an offset for each of `groups`. Then the values.
    package struct Payload {
        package let columns: Int
        package let steps: Int
        package let values: Int
        package let length: Int

        package init(cells: Int?, valueType: ValueType, count: Int, groups: Int) {
            columns = cells.map { Layout.aligned(($0 + 1) * 4) } ?? 0
            steps = cells == nil ? 0 : Layout.aligned(columns + count)
            values = steps + (valueType == .int8 ? Layout.aligned(groups * 8) : 0)
            length = values + count * valueType.size
        }
    }
}

extension Matrix {
    /// The bytes that the matrix takes in its file.
    public var payloadSize: Int {
        let groups = if case .int8(let quantization) = encoding { quantization.groups } else { 0 }
        return Layout.Payload(
            cells: sparsity.map { rows * $0.cells }, valueType: valueType, count: count, groups: groups
        ).length
    }
}
