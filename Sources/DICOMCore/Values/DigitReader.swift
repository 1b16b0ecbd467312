/// Reads fixed-width numbers from the bytes of a date or time.
struct DigitReader {
    private let bytes: ArraySlice<UInt8>
    private var position: Int

    /// Blanks and NULs around are left out.
    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes.trimmed(leading: true)
        self.position = self.bytes.startIndex
    }

    var isAtEnd: Bool { position == bytes.endIndex }

    /// The next byte when it is this one.
    mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard position < bytes.endIndex, bytes[position] == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    /// The number that the next `count` digits write; `nil`, and nothing read, when they are not all digits.
    mutating func number(digits count: Int) -> Int? {
        guard bytes.endIndex - position >= count else { return nil }
        var value = 0
        for byte in bytes[position..<position + count] {
            guard byte &- 0x30 < 10 else { return nil }
            value = value * 10 + Int(byte - 0x30)
        }
        position += count
        return value
    }

    /// Whether the next byte is a digit.
    var isAtDigit: Bool { position < bytes.endIndex && bytes[position] &- 0x30 < 10 }
}

extension ArraySlice<UInt8> {
    /// Without padding: trailing blanks and NULs, and leading blanks where they mean nothing (PS3.5 6.2).
    func trimmed(leading: Bool) -> ArraySlice<UInt8> {
        var text = self
        while let last = text.last, last == 0x20 || last == 0 { text.removeLast() }
        if leading { text = text.drop { $0 == 0x20 } }
        return text
    }
}

/// Two digits with a leading zero, four with as many as it takes.
func zeroPadded(_ number: Int, to width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
}
