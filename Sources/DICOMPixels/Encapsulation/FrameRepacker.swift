/// Cuts a frame that does not start or end on a byte boundary out of the bytes around it, and turns big endian words
/// around (PS3.5 8.1.1, 8.2, PS3.18 8.7.3.3.1).
public struct FrameRepacker: Hashable, Sendable {
    /// Bytes whose order is reversed together; 1 for none.
    public var wordSize: Int
    /// Bits in front of the frame.
    public var bitOffset: Int
    public var bitCount: Int

    public init(wordSize: Int, bitOffset: Int, bitCount: Int) {
        self.wordSize = wordSize
        self.bitOffset = bitOffset
        self.bitCount = bitCount
    }

    /// The frame on a byte boundary, its first pixel in the lowest bit of the first byte; bits behind the last pixel
    /// are zero. `nil` when there are too few bytes.
    public func frame(from bytes: some Collection<UInt8>) -> [UInt8]? {
        guard bitOffset >= 0, bitCount >= 0, bitCount <= bytes.count * 8 - bitOffset else { return nil }
        var source = Array(bytes)
        if wordSize > 1 { source.withUnsafeMutableBytes { Self.swapWords(in: $0, size: wordSize) } }
        let first = bitOffset / 8
        let shift = UInt8(bitOffset % 8)
        let length = (bitCount + 7) / 8
        if shift == 0 {
            source.removeSubrange(..<first)
            source.removeLast(source.count - length)
        } else {
            source = [UInt8](unsafeUninitializedCapacity: length) { output, count in
                source.withUnsafeBufferPointer { source in
                    for index in 0..<length {
                        let next = first + index + 1 < source.count ? source[first + index + 1] : 0
                        output[index] = source[first + index] >> shift | next << (8 - shift)
                    }
                }
                count = length
            }
        }
        if bitCount % 8 != 0, let last = source.indices.last { source[last] &= UInt8(1 << (bitCount % 8) - 1) }
        return source
    }

    /// Reverses the bytes of each whole word, in place. What is left at the end stays as it is.
    public static func swapWords(in bytes: UnsafeMutableRawBufferPointer, size: Int) {
        switch size {
        case 2: swap(bytes, as: UInt16.self)
        case 4: swap(bytes, as: UInt32.self)
        case 8: swap(bytes, as: UInt64.self)
        default: break
        }
    }

    private static func swap<Word: FixedWidthInteger>(_ bytes: UnsafeMutableRawBufferPointer, as type: Word.Type) {
        let width = MemoryLayout<Word>.size
        for offset in stride(from: 0, to: bytes.count / width * width, by: width) {
            let word = bytes.loadUnaligned(fromByteOffset: offset, as: type)
            bytes.storeBytes(of: word.byteSwapped, toByteOffset: offset, as: type)
        }
    }
}
