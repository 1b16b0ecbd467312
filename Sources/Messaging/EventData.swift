/// Builds the JSON object that is an event's data: members in the order they are added, without spaces.
package struct EventData: Sendable {
    private var text: [UInt8] = [0x7B]

    package init() { text.reserveCapacity(512) }

    /// The object's bytes.
    package var bytes: [UInt8] { text + [0x7D] }

    /// Adds a member whose value is text.
    package mutating func add(_ name: StaticString, _ value: String) {
        addName(name)
        Self.append(value, to: &text)
    }

    /// Adds a member whose value is an integer.
    package mutating func add(_ name: StaticString, _ value: Int) {
        addName(name)
        text.append(contentsOf: String(value).utf8)
    }

    /// Adds a member whose value is these bytes in lower-case hexadecimal.
    package mutating func add(_ name: StaticString, hexadecimal value: [UInt8]) {
        addName(name)
        text.append(0x22)
        for byte in value {
            text.append(Self.digit(byte >> 4))
            text.append(Self.digit(byte & 0xF))
        }
        text.append(0x22)
    }

    private mutating func addName(_ name: StaticString) {
        if text.count > 1 { text.append(0x2C) }
        text.append(0x22)
        name.withUTF8Buffer { text.append(contentsOf: $0) }
        text.append(0x22)
        text.append(0x3A)
    }

    private static func digit(_ nibble: UInt8) -> UInt8 { nibble < 10 ? 0x30 + nibble : 0x57 + nibble }

    /// Appends a JSON string (RFC 8259 7).
    static func append(_ value: String, to text: inout [UInt8]) {
        text.append(0x22)
        for byte in value.utf8 {
            switch byte {
            case 0x22, 0x5C:
                text.append(0x5C)
                text.append(byte)
            case ..<0x20:
                text.append(contentsOf: [0x5C, 0x75, 0x30, 0x30, digit(byte >> 4), digit(byte & 0xF)])
            default:
                text.append(byte)
            }
        }
        text.append(0x22)
    }
}
