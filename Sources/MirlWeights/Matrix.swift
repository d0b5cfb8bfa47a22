/// How the values of a weight file are encoded.
public enum ValueType: UInt16, Sendable {
    case float32 = 0
    case float16 = 1
    /// 8-bit integers that a `Matrix.Quantization` makes numbers of.
    case int8 = 2

    public var size: Int {
        switch self {
        case .float32: 4
        case .float16: 2
        case .int8: 1
        }
    }
}

/// A weight tensor as it lies in the file: its first dimension is the rows, all others flattened the columns.
///
/// A borrowed view: it holds as long as the file it came from.
public struct Matrix: @unchecked Sendable {
    public let rows: Int
    public let columns: Int
    public let encoding: Encoding
    /// Stored values: `rows * columns` in row order if dense, the non-zero ones in row order if sparse.
    public let values: UnsafeRawPointer
    /// nil if dense.
    public let sparsity: Sparsity?

    /// How the values are stored, and what that takes to read them.
    public enum Encoding: Sendable {
        case float32, float16
        case int8(Quantization)
    }

    /// Compressed sparse rows in `cells` of `width` columns each: cell c of row r has the values and columns from
    /// `starts[r * cells + c]` to before the next start, columns ascending and counted from the cell's first.
    public struct Sparsity: @unchecked Sendable {
        public let cells: Int
        public let width: Int
        public let starts: UnsafePointer<UInt32>
        public let columns: UnsafePointer<UInt8>

        public init(cells: Int, width: Int, starts: UnsafePointer<UInt32>, columns: UnsafePointer<UInt8>) {
            self.cells = cells
            self.width = width
            self.starts = starts
            self.columns = columns
        }
    }

    /// What 8-bit values stand for: `offset + scale * value`, with an offset and a scale for each group of neighbours.
    public struct Quantization: @unchecked Sendable {
        public let groups: Int
        /// Values in a group: a map of a prompt, or all of any other matrix.
        public let groupSize: Int
        /// of each group in turn the scale and the offset
        public let steps: UnsafePointer<Float>

        public init(groups: Int, groupSize: Int, steps: UnsafePointer<Float>) {
            self.groups = groups
            self.groupSize = groupSize
            self.steps = steps
        }
    }

    public init(
        rows: Int, columns: Int, encoding: Encoding, values: UnsafeRawPointer, sparsity: Sparsity?
    ) {
        self.rows = rows
        self.columns = columns
        self.encoding = encoding
        self.values = values
        self.sparsity = sparsity
    }

    public var valueType: ValueType {
        switch encoding {
        case .float32: .float32
        case .float16: .float16
        case .int8: .int8
        }
    }

    /// The number of stored values.
    public var count: Int { sparsity.map { Int($0.starts[rows * $0.cells]) } ?? rows * columns }
}
