/// A whole number written in digits (IS, PS3.5 6.2).
public struct IntegerString: Hashable, Sendable {
    public let value: Int

    public init(_ value: Int) { self.value = value }

    public init?(_ text: some StringProtocol) { self.init(bytes: Array(text.utf8)[...]) }

    /// Reads one value; blanks around it are left out. Numbers beyond 32 bits are against the standard, and taken.
    public init?(bytes: ArraySlice<UInt8>) {
        var digits = bytes.trimmed(leading: true)
        let isNegative = digits.first == UInt8(ascii: "-")
        if isNegative || digits.first == UInt8(ascii: "+") { digits.removeFirst() }
        guard !digits.isEmpty, digits.count <= 18 else { return nil }
        var value = 0
        for byte in digits {
            guard byte &- 0x30 < 10 else { return nil }
            value = value * 10 + Int(byte - 0x30)
        }
        self.value = isNegative ? -value : value
    }

    /// Whether these bytes, padding taken off before, are how a program would write the number, and it fits 32 bits:
    /// then DICOM JSON may have them as a number without losing anything (PS3.18 F.2.3).
    @inlinable
    public static func isCanonical(_ text: UnsafeRawBufferPointer) -> Bool {
        let count = text.count
        var index = count > 0 && text[0] == 0x2D ? 1 : 0
        let limit: Int64 = index == 1 ? 1 << 31 : 1 << 31 - 1
        guard count > index, count - index <= 10, text[index] != 0x30 || count == 1 else { return false }
        var value: Int64 = 0
        while index < count {
            let digit = text[index] &- 0x30
            guard digit < 10 else { return false }
            value = value &* 10 &+ Int64(digit)
            index &+= 1
        }
        return value <= limit
    }

    /// As for a buffer.
    public static func isCanonical(_ bytes: ArraySlice<UInt8>) -> Bool { bytes.withUnsafeBytes { isCanonical($0) } }
}

extension IntegerString: CustomStringConvertible {
    public var description: String { String(value) }
}
