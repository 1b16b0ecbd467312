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

    /// Whether a program that reads these bytes as a binary64 number and prints it gets them back, so that they can
    /// stand in DICOM JSON as a number; all others have to be strings to come back unchanged (PS3.18 F.2.3).
    ///
    /// That is a plain decimal of up to 15 digits, padding taken off before, without a plus sign, an exponent, a
    /// superfluous zero or a negative zero. `1.0` counts as printed; below 0.0001 printers differ.
    @inlinable
    public static func isCanonical(_ text: UnsafeRawBufferPointer) -> Bool {
        let count = text.count
        var index = count > 0 && text[0] == 0x2D ? 1 : 0
        let start = index
        var isSignificant = false
        while index < count, text[index] &- 0x30 < 10 {
            if text[index] != 0x30 { isSignificant = true }
            index &+= 1
        }
        let whole = index &- start
        guard whole > 0, whole == 1 || text[start] != 0x30 else { return false }
        if index == count { return whole <= 15 && (isSignificant || start == 0) }
        guard text[index] == 0x2E else { return false }
        index &+= 1
        let point = index
        var zeros = 0
        while index < count, text[index] &- 0x30 < 10 {
            if !isSignificant {
                if text[index] == 0x30 { zeros &+= 1 } else { isSignificant = true }
            }
            index &+= 1
        }
        let fraction = index &- point
        guard index == count, fraction > 0, whole &+ fraction <= 15 else { return false }
        guard text[count &- 1] != 0x30 || fraction == 1 else { return false }
        return isSignificant ? zeros < 4 : start == 0
    }

    /// As for a buffer.
    public static func isCanonical(_ bytes: ArraySlice<UInt8>) -> Bool { bytes.withUnsafeBytes { isCanonical($0) } }

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
    /// The shortest text that reads back as the number; where that has more than the 16 characters of DS, rounded to
    /// as many digits as fit.
    public var description: String {
        if let whole = Int(exactly: value), value.magnitude < 1e15 { return String(whole) }
        let sign = value < 0 ? "-" : ""
        let digits = DecimalDigits(value.magnitude)
        for count in stride(from: digits.digits.count, to: 0, by: -1) {
            let rounded = digits.rounded(to: count)
            for text in [rounded.fixed, rounded.scientific] where sign.utf8.count + text.utf8.count <= 16 {
                // The greatest numbers must not be rounded to infinity.
                if DecimalString(text) != nil { return sign + text }
            }
        }
        return sign + digits.rounded(to: 1).scientific
    }
}

/// A number as its significant digits: 0.d1d2d3… times a power of ten.
private struct DecimalDigits {
    /// Each 0 to 9; neither the first nor the last is 0.
    var digits: [UInt8]
    var exponent: Int

    /// The fewest digits that read back as the number, which is greater than zero.
    init(_ number: Double) {
        let parts = number.description.utf8.split(separator: UInt8(ascii: "e"), maxSplits: 1)
        let mantissa = parts[0].split(separator: UInt8(ascii: "."), maxSplits: 1)
        let all = mantissa.joined().map { $0 - 0x30 }
        digits = Array(all.drop { $0 == 0 })
        exponent =
            (parts.count == 2 ? Int(Substring(parts[1])) ?? 0 : 0) + mantissa[0].count
            - (all.count - digits.count)
        trim()
    }

    func rounded(to count: Int) -> DecimalDigits {
        guard count < digits.count else { return self }
        var result = self
        result.digits.removeSubrange(count...)
        guard digits[count] >= 5 else {
            result.trim()
            return result
        }
        // What carries over is trimmed, as the zero that it leaves would be.
        while result.digits.last == 9 { result.digits.removeLast() }
        if let last = result.digits.indices.last {
            result.digits[last] += 1
        } else {
            result.digits = [1]
            result.exponent += 1
        }
        return result
    }

    private mutating func trim() {
        while digits.count > 1, digits.last == 0 { digits.removeLast() }
    }

    var fixed: String {
        // A number far from one has too many zeros to be written out.
        guard (-16...16).contains(exponent) else { return scientific }
        if exponent <= 0 { return "0." + String(repeating: "0", count: -exponent) + text(digits[...]) }
        guard exponent < digits.count else {
            return text(digits[...]) + String(repeating: "0", count: exponent - digits.count)
        }
        return text(digits[..<exponent]) + "." + text(digits[exponent...])
    }

    var scientific: String {
        let fraction = digits.count > 1 ? "." + text(digits[1...]) : ""
        return "\(text(digits[..<1]))\(fraction)e\(exponent - 1)"
    }

    private func text(_ digits: ArraySlice<UInt8>) -> String {
        String(decoding: digits.map { $0 + 0x30 }, as: UTF8.self)
    }
}
