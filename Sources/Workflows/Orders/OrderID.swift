/// An order's name: a random UUID (RFC 9562 5.4) in lower case.
package struct OrderID: RawRepresentable, Hashable, Sendable {
    package let rawValue: String

    /// Takes the 36 characters of a UUID, of whatever version, in either case.
    package init?(rawValue: String) {
        let text = rawValue.lowercased()
        guard text.utf8.count == 36 else { return nil }
        for (position, byte) in text.utf8.enumerated() {
            let isDash = position == 8 || position == 13 || position == 18 || position == 23
            let isDigit = (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
            guard isDash ? byte == 0x2D : isDigit else { return nil }
        }
        self.rawValue = text
    }

    /// Makes one.
    package init(using random: inout some RandomNumberGenerator) {
        let high = random.next() & 0xFFFF_FFFF_FFFF_0FFF | 0x4000
        let low = random.next() & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
        let digits = Self.hexadecimal(high) + Self.hexadecimal(low)
        var text = ""
        for (position, digit) in digits.enumerated() {
            if position == 8 || position == 12 || position == 16 || position == 20 { text.append("-") }
            text.append(digit)
        }
        rawValue = text
    }

    /// Makes one from the system's random source.
    package init() {
        var random = SystemRandomNumberGenerator()
        self.init(using: &random)
    }

    private static func hexadecimal(_ half: UInt64) -> String {
        let digits = String(half, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

extension OrderID: CustomStringConvertible {
    package var description: String { rawValue }
}
