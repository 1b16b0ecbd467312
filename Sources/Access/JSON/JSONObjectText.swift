/// Writes the few JSON objects of tokens and key sets, members in the order in which they are added.
package struct JSONObjectText: Sendable {
    private var members: [String] = []

    package init() {}

    package var text: String { "{" + members.joined(separator: ",") + "}" }

    /// Adds a text; nothing for `nil`.
    package mutating func add(_ name: String, _ value: String?) {
        guard let value else { return }
        members.append("\(Self.quoted(name)):\(Self.quoted(value))")
    }

    package mutating func add(_ name: String, _ value: Int64?) {
        guard let value else { return }
        members.append("\(Self.quoted(name)):\(value)")
    }

    package mutating func add(_ name: String, _ value: Bool) {
        members.append("\(Self.quoted(name)):\(value)")
    }

    package mutating func add(_ name: String, _ values: [String]) {
        members.append("\(Self.quoted(name)):[\(values.map(Self.quoted).joined(separator: ","))]")
    }

    package mutating func add(_ name: String, objects: [JSONObjectText]) {
        members.append("\(Self.quoted(name)):[\(objects.map(\.text).joined(separator: ","))]")
    }

    /// A JSON string with its quotes (RFC 8259 7).
    private static func quoted(_ text: String) -> String {
        var bytes: [UInt8] = [UInt8(ascii: "\"")]
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
            case ..<0x20, 0x7F:
                let digits = Array("0123456789abcdef".utf8)
                bytes += Array("\\u00".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 0xF)]]
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
        return String(decoding: bytes, as: UTF8.self)
    }
}
