/// A time-ordered identifier (RFC 9562 5.7): 48 bits of milliseconds, then 74 random bits.
///
/// Events and audit records carry one each. It is made once, before the transaction that writes it, so that a
/// transaction which is run again writes the same one.
package struct UUIDv7: Hashable, Sendable {
    /// The upper and lower half, as they stand in the 16 bytes.
    package let high: UInt64
    package let low: UInt64

    /// Makes one for this time (milliseconds since 1970) from the given random source.
    package init(milliseconds: Int64, using random: inout some RandomNumberGenerator) {
        let time = UInt64(truncatingIfNeeded: milliseconds) & 0xFFFF_FFFF_FFFF
        high = time << 16 | 0x7000 | (random.next() & 0x0FFF)
        low = random.next() & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
    }

    /// Takes one that was made before.
    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Makes one for this time from the system's random source.
    package init(milliseconds: Int64) {
        var random = SystemRandomNumberGenerator()
        self.init(milliseconds: milliseconds, using: &random)
    }
}

extension UUIDv7: CustomStringConvertible {
    /// The 36 characters `xxxxxxxx-xxxx-7xxx-xxxx-xxxxxxxxxxxx`.
    package var description: String {
        String(unsafeUninitializedCapacity: 36) { text in
            var at = 0
            for position in 0..<32 {
                if position == 8 || position == 12 || position == 16 || position == 20 {
                    text[at] = 0x2D
                    at += 1
                }
                let half = position < 16 ? high : low
                let nibble = UInt8(truncatingIfNeeded: half >> UInt64(60 - 4 * (position & 15))) & 0xF
                text[at] = nibble < 10 ? 0x30 + nibble : 0x57 + nibble
                at += 1
            }
            return at
        }
    }
}
