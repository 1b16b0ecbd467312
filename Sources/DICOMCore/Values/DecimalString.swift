/// A decimal number in text (DS, PS3.5 6.2).
public struct DecimalString: Hashable, Sendable {
    public let value: Double

    /// Rounds nothing; `nil` for infinities and not-a-number, which DS cannot write.
    public init?(_ value: Double) {
        guard value.isFinite else { return nil }
        self.value = value
    }

    public init?(_ text: some StringProtocol) { self.init(bytes: Array(text.utf8)[...]) }

    /// Reads one value; blanks around it are left out. Longer than 16 characters is against the standard, and taken.
    public init?(bytes: ArraySlice<UInt8>) {
        let text = bytes.trimmed(leading: true)
        // Double reads hexadecimal and names of non-numbers, too.
        guard text.count <= 128, Self.hasNumberSyntax(text), let value = Double(String(decoding: text, as: UTF8.self)),
            value.isFinite
        else { return nil }
        self.value = value
    }

    /// Whether these bytes, padding taken off before, are a plain decimal without anything that a number would lose:
    /// no plus sign, exponent, superfluous zero, nor more than 15 significant digits. Such a text can stand in DICOM
    /// JSON as a number, as it is (PS3.18 F.2.3); all others have to be strings to come back unchanged.
    public static func isCanonical(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard bytes.count <= 17 else { return false }
        var rest = bytes.first == UInt8(ascii: "-") ? bytes.dropFirst() : bytes
        let isNegative = rest.count < bytes.count
        let whole = rest.prefix { $0 &- 0x30 < 10 }
        guard let first = whole.first, first != 0x30 || whole.count == 1 else { return false }
        rest = rest.dropFirst(whole.count)
        guard let point = rest.first else { return whole.count <= 15 && !(isNegative && first == 0x30) }
        let fraction = rest.dropFirst()
        guard point == UInt8(ascii: "."), let last = fraction.last, last != 0x30,
            fraction.allSatisfy({ $0 &- 0x30 < 10 })
        else { return false }
        return (first == 0x30 ? 0 : whole.count) + fraction.count <= 15
    }

    private static func hasNumberSyntax(_ text: ArraySlice<UInt8>) -> Bool {
        var text = text
        func skipSign() { if let sign = text.first, sign == 0x2B || sign == 0x2D { text.removeFirst() } }
        func skipDigits() -> Int {
            let digits = text.prefix { $0 &- 0x30 < 10 }.count
            text.removeFirst(digits)
            return digits
        }
        skipSign()
        var digits = skipDigits()
        if text.first == UInt8(ascii: ".") {
            text.removeFirst()
            digits += skipDigits()
        }
        guard digits > 0 else { return false }
        guard let exponent = text.first else { return true }
        guard exponent == UInt8(ascii: "e") || exponent == UInt8(ascii: "E") else { return false }
        text.removeFirst()
        skipSign()
        return skipDigits() > 0 && text.isEmpty
    }
}

extension DecimalString: CustomStringConvertible {
    /// The shortest text that reads back as the number, within the 16 characters of DS where that can be.
    public var description: String {
        if let whole = Int(exactly: value), value.magnitude < 1e15 { return String(whole) }
        let shortest = value.description
        guard shortest.utf8.count > 16 else { return shortest }
        return shorten(shortest)
    }

    /// Rounds to as many digits as fit.
    private func shorten(_ text: String) -> String {
        let parts = text.split(separator: "e", maxSplits: 1)
        let exponent = parts.count == 2 ? "e" + parts[1] : ""
        let kept = parts[0].prefix(16 - exponent.utf8.count)
        return (kept.last == "." ? String(kept.dropLast()) : String(kept)) + exponent
    }
}
