extension OrderedJSON {
    /// The text in UTF-8, without spaces.
    package var bytes: [UInt8] {
        var text: [UInt8] = []
        write(into: &text)
        return text
    }

    /// Appends the text, without spaces.
    package func write(into text: inout [UInt8]) {
        switch self {
        case .null: text.append(contentsOf: "null".utf8)
        case .bool(let value): text.append(contentsOf: (value ? "true" : "false").utf8)
        case .integer(let value): text.append(contentsOf: String(value).utf8)
        case .number(let value): text.append(contentsOf: "\(value)".utf8)
        case .string(let value): Self.write(value, into: &text)
        case .array(let elements):
            text.append(0x5B)
            for (index, element) in elements.enumerated() {
                if index > 0 { text.append(0x2C) }
                element.write(into: &text)
            }
            text.append(0x5D)
        case .object(let members):
            text.append(0x7B)
            for (index, member) in members.enumerated() {
                if index > 0 { text.append(0x2C) }
                Self.write(member.name, into: &text)
                text.append(0x3A)
                member.value.write(into: &text)
            }
            text.append(0x7D)
        }
    }

    /// A string (RFC 8259 7).
    private static func write(_ value: String, into text: inout [UInt8]) {
        text.append(0x22)
        for byte in value.utf8 {
            switch byte {
            case 0x22, 0x5C:
                text.append(0x5C)
                text.append(byte)
            case 0x0A: text.append(contentsOf: [0x5C, 0x6E])
            case ..<0x20, 0x7F:
                let digits = Array("0123456789abcdef".utf8)
                text.append(contentsOf: [0x5C, 0x75, 0x30, 0x30, digits[Int(byte >> 4)], digits[Int(byte & 0xF)]])
            default: text.append(byte)
            }
        }
        text.append(0x22)
    }
}
