/// Samples whose values are too many for a table: more than 16 bits, or floating point.
enum WideSamples: Hashable {
    case integer(bitsAllocated: Int, StoredBits)
    case float32
    case float64

    /// The stored value of a sample, as near as a `Double` comes to it.
    func value(_ bytes: UnsafeRawBufferPointer, at index: Int) -> Double {
        switch self {
        case .integer(let allocated, let bits):
            let word = Self.rawWord(bytes, at: index, bitsAllocated: allocated)
            let value = bits.value(ofWord: word)
            return bits.isSigned ? Double(value) : Double(UInt64(bitPattern: value))
        case .float32:
            let word = UInt32(truncatingIfNeeded: Self.rawWord(bytes, at: index, bitsAllocated: 32))
            return Double(Float(bitPattern: word))
        case .float64: return Double(bitPattern: Self.rawWord(bytes, at: index, bitsAllocated: 64))
        }
    }

    /// The word of a sample. `bytes` has to be long enough; other widths than 1, 8, 16, 32 and 64 have no words.
    static func rawWord(_ bytes: UnsafeRawBufferPointer, at index: Int, bitsAllocated: Int) -> UInt64 {
        switch bitsAllocated {
        case 1: UInt64(bytes[index / 8] >> UInt8(index % 8) & 1)
        case 8: UInt64(bytes[index])
        case 16: UInt64(UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)))
        case 32: UInt64(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)))
        case 64: UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8 * index, as: UInt64.self))
        default: 0
        }
    }
}
