/// The form that the index keeps: a kind, then numbers of seven bits a byte. Native layouts take about a dozen bytes,
/// encapsulated ones four or five a fragment.
extension FrameLayout {
    public func encode() -> [UInt8] {
        var bytes: [UInt8] = []
        switch storage {
        case .native(let native):
            bytes.append(1)
            for number in [native.offset, native.length, native.bitsPerFrame, native.frames, native.wordSize] {
                bytes.append(number: number)
            }
        case .encapsulated(let frames):
            bytes.append(2)
            bytes.append(number: frames.count)
            var end = 0
            for frame in frames {
                bytes.append(number: frame.count)
                for fragment in frame {
                    // Fragments ascend, so that the gap is the item header and maybe a padding byte.
                    bytes.append(number: fragment.lowerBound - end)
                    bytes.append(number: fragment.count)
                    end = fragment.upperBound
                }
            }
        }
        return bytes
    }

    /// `nil` when the bytes are not what `encode` writes.
    public init?(decoding bytes: some Collection<UInt8>) {
        // Read for every frame that is asked for: never through the collection, byte by byte.
        let storage =
            bytes.withContiguousStorageIfAvailable { Self.storage($0) }
            ?? Array(bytes).withUnsafeBufferPointer {
                Self.storage($0)
            }
        guard let storage else { return nil }
        self.init(storage)
    }

    private static func storage(_ bytes: UnsafeBufferPointer<UInt8>) -> Storage? {
        var rest = NumberReader(bytes: bytes)
        switch rest.byte() {
        case 1:
            guard let offset = rest.number(), let length = rest.number(), let bits = rest.number(),
                let frames = rest.number(), let word = rest.number(), rest.isAtEnd, bits > 0,
                word == 1 || word == 2 || word == 4 || word == 8, length <= Int.max / 8, offset <= Int.max - length,
                frames <= length * 8 / bits
            else { return nil }
            return .native(Native(offset: offset, length: length, bitsPerFrame: bits, frames: frames, wordSize: word))
        case 2:
            guard let count = rest.number(), count <= rest.count else { return nil }
            var frames: [[Range<Int>]] = []
            frames.reserveCapacity(count)
            var end = 0
            for _ in 0..<count {
                guard let fragments = rest.number(), fragments <= rest.count else { return nil }
                var frame: [Range<Int>] = []
                frame.reserveCapacity(fragments)
                for _ in 0..<fragments {
                    guard let gap = rest.number(), let length = rest.number(), gap <= Int.max - end,
                        length <= Int.max - end - gap
                    else { return nil }
                    frame.append(end + gap..<end + gap + length)
                    end += gap + length
                }
                frames.append(frame)
            }
            return rest.isAtEnd ? .encapsulated(frames) : nil
        default: return nil
        }
    }
}

/// Takes numbers of seven bits a byte, one behind the other.
private struct NumberReader {
    let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0

    init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    /// Bytes that are left.
    var count: Int { bytes.count - position }
    var isAtEnd: Bool { position == bytes.count }

    mutating func byte() -> UInt8? {
        guard position < bytes.count else { return nil }
        defer { position += 1 }
        return bytes[position]
    }

    mutating func number() -> Int? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while shift < 63 {
            guard let byte = byte() else { return nil }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return Int(exactly: value) }
            shift += 7
        }
        return nil
    }
}

extension [UInt8] {
    fileprivate mutating func append(number: Int) {
        var rest = UInt64(bitPattern: Int64(number))
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(truncatingIfNeeded: rest))
    }
}
