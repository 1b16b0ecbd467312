/// Why an instance was not stored: a value of (0008,1197) Failure Reason (PS3.18 I.2.2, PS3.7 C, PS3.4 B.2.3).
///
/// Any 16-bit value may occur in the answer of another server; the named ones are those that we give.
public struct FailureReason: RawRepresentable, Hashable, Sendable {
    public var rawValue: UInt16

    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// 0106H: a UID does not follow the rules of PS3.5 9.1.
    public static let invalidAttributeValue = FailureReason(rawValue: 0x0106)
    /// 0110H: an error of ours; sending again may help.
    public static let processingFailure = FailureReason(rawValue: 0x0110)
    /// 0111H: another instance with this SOP Instance UID is kept.
    public static let duplicateInstance = FailureReason(rawValue: 0x0111)
    /// 0119H: the instance is known with another SOP Class.
    public static let classInstanceConflict = FailureReason(rawValue: 0x0119)
    /// 0120H: a UID that must be there is missing.
    public static let missingAttribute = FailureReason(rawValue: 0x0120)
    /// 0121H: a UID that must be there is empty.
    public static let missingAttributeValue = FailureReason(rawValue: 0x0121)
    /// 0122H: instances of this SOP Class are not taken.
    public static let classNotSupported = FailureReason(rawValue: 0x0122)
    /// 0124H: the caller may not write to this study.
    public static let notAuthorized = FailureReason(rawValue: 0x0124)
    /// A700H: storage or quota is used up.
    public static let outOfResources = FailureReason(rawValue: 0xA700)
    /// A701H: the instance is larger than the limit.
    public static let instanceTooLarge = FailureReason(rawValue: 0xA701)
    /// A900H: the data set breaks a rule of its SOP Class.
    public static let dataSetMismatch = FailureReason(rawValue: 0xA900)
    /// A901H: the instance belongs to another study than that of the request.
    public static let studyMismatch = FailureReason(rawValue: 0xA901)
    /// C000H: not DICOM, or truncated.
    public static let cannotUnderstand = FailureReason(rawValue: 0xC000)
    /// C001H: beyond the limits of nesting, number of elements or size.
    public static let limitExceeded = FailureReason(rawValue: 0xC001)
    /// C002H: a part of the body is malformed.
    public static let malformedPart = FailureReason(rawValue: 0xC002)
    /// C003H: metadata refer to bulk data that are not in the request.
    public static let unresolvedBulkData = FailureReason(rawValue: 0xC003)
    /// C122H: the transfer syntax is not taken.
    public static let transferSyntaxNotSupported = FailureReason(rawValue: 0xC122)

    /// The reason in words, without anything of the instance.
    public var meaning: String {
        switch rawValue {
        case 0x0106: "invalid attribute value"
        case 0x0110: "processing failure"
        case 0x0111: "duplicate SOP Instance"
        case 0x0119: "class-instance conflict"
        case 0x0120: "missing attribute"
        case 0x0121: "missing attribute value"
        case 0x0122: "SOP Class not supported"
        case 0x0124: "not authorized"
        case 0xA701: "instance over the size limit"
        case 0xA700...0xA7FF: "out of resources"
        case 0xA901: "instance belongs to another study"
        case 0xA900...0xA9FF: "data set does not match SOP Class"
        case 0xC001: "limit exceeded"
        case 0xC002: "malformed part"
        case 0xC003: "bulk data not in the request"
        case 0xC122: "transfer syntax not supported"
        case 0xC000...0xCFFF: "cannot understand"
        default: "refused"
        }
    }

    /// Whether the bytes could not be read at all, so that the request was bad rather than in conflict (PS3.18 10.5.3).
    var isUnreadable: Bool { (0xC000...0xC002).contains(rawValue) }
}

extension FailureReason: CustomStringConvertible {
    /// Four hexadecimal digits and the meaning: `A700: out of resources`.
    public var description: String { "\(hexadecimal(rawValue)): \(meaning)" }
}

/// What was doubtful about an instance that is stored: a value of (0008,1196) Warning Reason (PS3.18 I.2.1).
public struct WarningReason: RawRepresentable, Hashable, Sendable {
    public var rawValue: UInt16

    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// B000H: values were changed; (0400,0561) tells which.
    public static let coercion = WarningReason(rawValue: 0xB000)
    /// B006H: elements were left out.
    public static let elementsDiscarded = WarningReason(rawValue: 0xB006)
    /// B007H: the data set breaks a rule, and is stored as it is.
    public static let dataSetMismatch = WarningReason(rawValue: 0xB007)

    /// The warning in words.
    public var meaning: String {
        switch rawValue {
        case 0xB000: "coercion of data elements"
        case 0xB006: "elements discarded"
        case 0xB007: "data set does not match SOP Class"
        default: "stored with a warning"
        }
    }
}

extension WarningReason: CustomStringConvertible {
    /// Four hexadecimal digits and the meaning.
    public var description: String { "\(hexadecimal(rawValue)): \(meaning)" }
}

private func hexadecimal(_ value: UInt16) -> String {
    let digits = String(value, radix: 16, uppercase: true)
    return String(repeating: "0", count: 4 - digits.utf8.count) + digits
}
