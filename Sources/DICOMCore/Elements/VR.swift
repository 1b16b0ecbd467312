/// A value representation: what kind of value an element holds and how it is encoded (PS3.5 6.2).
///
/// The raw value is the two letters as they stand in an explicit header, first letter in the upper byte.
public enum VR: UInt16, CaseIterable, Hashable, Sendable {
    case AE = 0x4145, AS = 0x4153, AT = 0x4154, CS = 0x4353, DA = 0x4441, DS = 0x4453, DT = 0x4454
    case FD = 0x4644, FL = 0x464C, IS = 0x4953, LO = 0x4C4F, LT = 0x4C54, OB = 0x4F42, OD = 0x4F44
    case OF = 0x4F46, OL = 0x4F4C, OV = 0x4F56, OW = 0x4F57, PN = 0x504E, SH = 0x5348, SL = 0x534C
    case SQ = 0x5351, SS = 0x5353, ST = 0x5354, SV = 0x5356, TM = 0x544D, UC = 0x5543, UI = 0x5549
    case UL = 0x554C, UN = 0x554E, UR = 0x5552, US = 0x5553, UT = 0x5554, UV = 0x5556

    /// Reads two letters, such as `"PN"`.
    public init?(_ letters: some StringProtocol) {
        var iterator = letters.utf8.makeIterator()
        guard let first = iterator.next(), let second = iterator.next(), iterator.next() == nil else { return nil }
        self.init(rawValue: UInt16(first) << 8 | UInt16(second))
    }

    /// The two letters.
    public var letters: String {
        String(decoding: [UInt8(rawValue >> 8), UInt8(truncatingIfNeeded: rawValue)], as: UTF8.self)
    }

    /// Whether an explicit header has two reserved bytes and a 32-bit length (PS3.5 7.1.2, Table 7.1-1).
    @inlinable public var hasLongHeader: Bool {
        switch self {
        case .OB, .OD, .OF, .OL, .OV, .OW, .SQ, .SV, .UC, .UN, .UR, .UT, .UV: true
        default: false
        }
    }

    /// Whether values are text in the data set's Specific Character Set (PS3.5 6.1.2.3).
    @inlinable public var usesSpecificCharacterSet: Bool {
        switch self {
        case .LO, .LT, .PN, .SH, .ST, .UC, .UT: true
        default: false
        }
    }

    /// Whether the value is text of any kind, identifiers and number strings included.
    @inlinable public var isText: Bool {
        switch self {
        case .AE, .AS, .CS, .DA, .DS, .DT, .IS, .LO, .LT, .PN, .SH, .ST, .TM, .UC, .UI, .UR, .UT: true
        default: false
        }
    }

    /// Whether a backslash separates values; in LT, ST, UT and UR it is text (PS3.5 6.2).
    @inlinable public var isBackslashDelimited: Bool {
        switch self {
        case .LT, .ST, .UT, .UR: false
        default: isText
        }
    }

    /// Bytes of one binary number, 0 for text and sequences; OB and UN have 1 (PS3.5 6.2).
    @inlinable public var numberWidth: Int {
        switch self {
        case .OB, .UN: 1
        case .OW, .SS, .US, .AT: 2
        case .FL, .OF, .OL, .SL, .UL: 4
        case .FD, .OD, .OV, .SV, .UV: 8
        default: 0
        }
    }

    /// The byte that makes an odd length even: NUL for UI and bytes, space for other text (PS3.5 6.2).
    @inlinable public var paddingByte: UInt8 {
        switch self {
        case .AE, .AS, .CS, .DA, .DS, .DT, .IS, .LO, .LT, .PN, .SH, .ST, .TM, .UC, .UR, .UT: 0x20
        default: 0
        }
    }
}
