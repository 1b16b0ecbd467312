/// Decides whether bytes of unknown VR are the items of a sequence in Implicit VR Little Endian, by walking them.
enum ImplicitItems {
    private struct Frame {
        var isItem: Bool
        var isUndefined: Bool
        var end: Int
    }

    /// Whether the bytes are items from the first to the last, whose elements fit and have sensible tags.
    static func canBeRead(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var frames = [Frame(isItem: false, isUndefined: false, end: bytes.count)]
        var index = 0
        while let top = frames.last {
            if index >= top.end {
                guard index == top.end, !top.isUndefined else { return false }
                frames.removeLast()
                continue
            }
            guard top.end - index >= 8 else { return false }
            let tag = bytes.tag(index, .implicitLittleEndian)
            let length = bytes.littleEndian32(index + 4)
            index += 8
            switch tag {
            case .item where !top.isItem:
                guard length == undefinedLength || Int(length) <= top.end - index else { return false }
                let isUndefined = length == undefinedLength
                frames.append(
                    Frame(isItem: true, isUndefined: isUndefined, end: isUndefined ? top.end : index + Int(length)))
            case .itemDelimitationItem where top.isItem && top.isUndefined,
                .sequenceDelimitationItem where !top.isItem && (top.isUndefined || frames.count == 1):
                frames.removeLast()
                if frames.isEmpty { return index == bytes.count }
            default:
                guard top.isItem, tag.group >= 8, tag.group < 0xFFFC else { return false }
                if length == undefinedLength {
                    guard frames.count < 128 else { return false }
                    frames.append(Frame(isItem: false, isUndefined: true, end: top.end))
                } else {
                    guard Int(length) <= top.end - index else { return false }
                    index += Int(length)
                }
            }
        }
        return true
    }
}
