/// A set of tags that differ in some digits: repeating groups such as (60xx,0010) (PS3.5 7.6) and private elements
/// such as (0029,xx10) whose block is free (PS3.5 7.8).
public struct TagPattern: Hashable, Sendable {
    /// The bits that are fixed.
    public var mask: UInt32
    /// Their values; zero where digits are free.
    public var value: UInt32

    public init(mask: UInt32, value: UInt32) {
        self.mask = mask
        self.value = value & mask
    }

    /// Reads eight hexadecimal digits of either case in which x stands for any digit: `60xx0010`.
    public init?(_ text: some StringProtocol) {
        self.init(digits: text.utf8)
    }

    init?(digits: some Collection<UInt8>) {
        guard digits.count == 8 else { return nil }
        var mask: UInt32 = 0
        var value: UInt32 = 0
        for digit in digits {
            mask <<= 4
            value <<= 4
            switch digit {
            case 0x30...0x39: value |= UInt32(digit - 0x30)
            case 0x41...0x46: value |= UInt32(digit - 0x37)
            case 0x61...0x66: value |= UInt32(digit - 0x57)
            case 0x58, 0x78: continue
            default: return nil
            }
            mask |= 0xF
        }
        self.init(mask: mask, value: value)
    }

    /// Whether all digits are fixed.
    public var isSingleTag: Bool { mask == 0xFFFF_FFFF }

    public func matches(_ tag: Tag) -> Bool { tag.rawValue & mask == value }
}
