/// A unique identifier (PS3.5 9).
///
/// Components with leading zeros are against PS3.5 9.1 but occur, and are kept as they are.
public struct UID: Hashable, Sendable {
    public let string: String

    /// Takes 1 to 64 digits and dots without an empty component.
    public init?(_ text: some StringProtocol) {
        // Whole rows of UIDs are read from the index: bytes that lie together are checked without a call for each.
        let isValid = text.utf8.withContiguousStorageIfAvailable { Self.isValid($0) } ?? Self.isValid(text.utf8)
        guard isValid else { return nil }
        self.string = String(text)
    }

    /// As they stand in a value field: NULs and spaces around are no part of it.
    public init?(trimming bytes: some Collection<UInt8>) {
        guard let first = bytes.firstIndex(where: { $0 != 0x20 && $0 != 0 }) else { return nil }
        var text = bytes[first...]
        var count = text.count
        // A Collection need not be bidirectional; values are short.
        var trailing = 0
        for byte in text { trailing = byte == 0x20 || byte == 0 ? trailing + 1 : 0 }
        count -= trailing
        text = text.prefix(count)
        guard Self.isValid(text) else { return nil }
        self.string = String(decoding: text, as: UTF8.self)
    }

    private static func isValid(_ bytes: some Collection<UInt8>) -> Bool {
        var count = 0
        var previous = UInt8(ascii: ".")
        for byte in bytes {
            count += 1
            switch byte {
            case 0x30...0x39: break
            case 0x2E: guard previous != 0x2E else { return false }
            default: return false
            }
            guard count <= 64 else { return false }
            previous = byte
        }
        return previous != 0x2E
    }
}

extension UID: Comparable {
    public static func < (left: UID, right: UID) -> Bool { left.string < right.string }
}

extension UID: CustomStringConvertible {
    public var description: String { string }
}

extension UID: Codable {
    /// Reads the text; what is no UID is an error.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let uid = UID(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a UID")
        }
        self = uid
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(string)
    }
}
