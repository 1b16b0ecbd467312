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
        var rest = bytes[...]
        switch rest.popFirst() {
        case 1:
            guard let offset = rest.popNumber(), let length = rest.popNumber(), let bits = rest.popNumber(),
                let frames = rest.popNumber(), let word = rest.popNumber(), rest.isEmpty, bits > 0,
                [1, 2, 4, 8].contains(word), length <= Int.max / 8, offset <= Int.max - length,
                frames <= length * 8 / bits
            else { return nil }
            self.init(
                .native(Native(offset: offset, length: length, bitsPerFrame: bits, frames: frames, wordSize: word)))
        case 2:
            guard let count = rest.popNumber(), count <= rest.count else { return nil }
            var frames: [[Range<Int>]] = []
            frames.reserveCapacity(count)
            var end = 0
            for _ in 0..<count {
                guard let fragments = rest.popNumber(), fragments <= rest.count else { return nil }
                var frame: [Range<Int>] = []
                frame.reserveCapacity(fragments)
                for _ in 0..<fragments {
                    guard let gap = rest.popNumber(), let length = rest.popNumber(), gap <= Int.max - end,
                        length <= Int.max - end - gap
                    else { return nil }
                    frame.append(end + gap..<end + gap + length)
                    end += gap + length
                }
                frames.append(frame)
            }
            guard rest.isEmpty else { return nil }
            self.init(.encapsulated(frames))
        default: return nil
        }
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

extension Collection<UInt8> where SubSequence == Self {
    fileprivate mutating func popNumber() -> Int? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 63, by: 7) {
            guard let byte = popFirst() else { return nil }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return Int(exactly: value) }
        }
        return nil
    }
}
