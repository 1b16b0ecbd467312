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
    public static func isCanonical(_ bytes: ArraySlice<UInt8>) -> Bool {
        let digits = bytes.first == UInt8(ascii: "-") ? bytes.dropFirst() : bytes
        guard let first = digits.first, first != UInt8(ascii: "0") || bytes.count == 1, digits.count <= 10,
            let number = IntegerString(bytes: digits)
        else { return false }
        return first &- 0x30 < 10 && Int32(exactly: bytes.count == digits.count ? number.value : -number.value) != nil
            && digits.allSatisfy { $0 &- 0x30 < 10 }
    }
}

extension IntegerString: CustomStringConvertible {
    public var description: String { String(value) }
}
