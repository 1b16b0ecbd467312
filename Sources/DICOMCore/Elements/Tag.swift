/// The identifier of a data element: group and element number (PS3.5 7.1.1).
///
/// Tags order as they do in a data set: by group, then by element.
public struct Tag: RawRepresentable, Hashable, Sendable {
    /// Group in the upper, element in the lower 16 bits.
    public var rawValue: UInt32

    @inlinable
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    @inlinable
    public init(_ group: UInt16, _ element: UInt16) {
        self.rawValue = UInt32(group) << 16 | UInt32(element)
    }

    @inlinable public var group: UInt16 { UInt16(truncatingIfNeeded: rawValue >> 16) }
    @inlinable public var element: UInt16 { UInt16(truncatingIfNeeded: rawValue) }

    /// Whether the group is odd: a private element or creator (PS3.5 7.8).
    @inlinable public var isPrivate: Bool { rawValue & 0x0001_0000 != 0 }

    /// Whether this is a Private Creator element, (gggg,0010) to (gggg,00FF) of an odd group (PS3.5 7.8.1).
    @inlinable public var isPrivateCreator: Bool { isPrivate && (0x10...0xFF).contains(element) }

    /// Whether this is a group length, (gggg,0000) (PS3.5 7.2).
    @inlinable public var isGroupLength: Bool { element == 0 }
}

extension Tag: Codable {}

extension Tag: Comparable {
    @inlinable public static func < (left: Tag, right: Tag) -> Bool { left.rawValue < right.rawValue }
}

extension Tag {
    /// Item (FFFE,E000), Item Delimitation Item and Sequence Delimitation Item (PS3.5 7.5).
    @inlinable public static var item: Tag { Tag(rawValue: 0xFFFE_E000) }
    @inlinable public static var itemDelimitationItem: Tag { Tag(rawValue: 0xFFFE_E00D) }
    @inlinable public static var sequenceDelimitationItem: Tag { Tag(rawValue: 0xFFFE_E0DD) }
    /// Data Set Trailing Padding (FFFC,FFFC) (PS3.10 7.2).
    @inlinable public static var dataSetTrailingPadding: Tag { Tag(rawValue: 0xFFFC_FFFC) }
}

extension Tag: CustomStringConvertible {
    /// The form of PS3.5: `(0010,0020)`.
    public var description: String {
        let digits = hexadecimal
        return "(\(digits.prefix(4)),\(digits.suffix(4)))"
    }

    /// The form of the DICOM JSON model, eight upper-case digits: `00100020` (PS3.18 F.2.2).
    public var hexadecimal: String {
        String(unsafeUninitializedCapacity: 8) { digits in
            for index in 0..<8 {
                let nibble = UInt8(truncatingIfNeeded: rawValue >> UInt32(28 - 4 * index)) & 0xF
                digits[index] = nibble < 10 ? 0x30 + nibble : 0x37 + nibble
            }
            return 8
        }
    }

    /// Reads eight hexadecimal digits of either case; `nil` for anything else.
    public init?(hexadecimal text: some StringProtocol) {
        guard text.utf8.count == 8 else { return nil }
        var value: UInt32 = 0
        for byte in text.utf8 {
            let nibble: UInt8
            switch byte {
            case 0x30...0x39: nibble = byte - 0x30
            case 0x41...0x46: nibble = byte - 0x37
            case 0x61...0x66: nibble = byte - 0x57
            default: return nil
            }
            value = value << 4 | UInt32(nibble)
        }
        self.init(rawValue: value)
    }
}
