import MirlWeights

/// A checkpoint's tensors by name, whatever file they were read from.
package struct StateDict {
    var metadata: [String: String] = [:]
    var tensors: [String: Tensor] = [:]
}

/// How a checkpoint stores the values of a tensor.
enum ElementType: String {
    case float64 = "F64"
    case float32 = "F32"
    case float16 = "F16"
    case bfloat16 = "BF16"

    var size: Int {
        switch self {
        case .float64: 8
        case .float32: 4
        case .float16, .bfloat16: 2
        }
    }
}

/// A tensor in a file's memory; it holds as long as that.
package struct Tensor {
    let type: ElementType
    package let shape: [Int]
    /// The distance of neighbours along each dimension, in elements; nil if row after row.
    var strides: [Int]?
    /// Little-endian, unaligned, from the first element to the last.
    let bytes: UnsafeRawBufferPointer

    /// Row after row.
    package var values: [Float] {
        guard let strides, !bytes.isEmpty else { return (0..<bytes.count / type.size).map(value) }
        return zip(shape, strides).reduce([0]) { places, dimension in
            places.flatMap { place in (0..<dimension.0).map { place + $0 * dimension.1 } }
        }.map(value)
    }

    private func value(_ place: Int) -> Float {
        switch type {
        case .float64: Float(Double(bitPattern: bytes.integer(at: 8 * place)))
        case .float32: Float(bitPattern: bytes.integer(at: 4 * place))
        case .float16: Float(Float16(bitPattern: bytes.integer(at: 2 * place)))
        case .bfloat16: Float(bitPattern: UInt32(bytes.integer(at: 2 * place, as: UInt16.self)) << 16)
        }
    }
}

/// The product of sizes, nil if it overflows.
func product(_ sizes: [Int], _ first: Int = 1) -> Int? {
    sizes.reduce(first) { (result: Int?, next) in
        guard let (product, overflow) = result?.multipliedReportingOverflow(by: next), !overflow else { return nil }
        return product
    }
}
