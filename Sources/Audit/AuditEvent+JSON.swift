extension AuditEvent {
    /// The event as a JSON object without spaces, members in a fixed order: the text that the hash chain covers.
    package var canonicalJSON: [UInt8] {
        var text = JSONText()
        text.openObject()
        text.member("id", id)
        text.member("time", Int(time))
        text.member("kind", kind.rawValue)
        text.member("action", action.rawValue)
        text.member("outcome", outcome.rawValue)
        text.member("outcomeText", outcomeText)
        text.name("actor")
        text.openObject()
        text.member("client", actor.client)
        text.member("credentialID", actor.credentialID)
        text.member("organization", actor.organization)
        text.member("address", actor.address)
        text.closeObject()
        text.member("door", door)
        text.member("requestID", requestID)
        text.member("study", study)
        text.name("objects")
        text.openArray()
        for object in objects {
            text.openObject()
            text.member("instance", object.instance)
            text.member("sopClass", object.sopClass)
            if let reason = object.failureReason { text.member("failureReason", Int(reason)) }
            text.closeObject()
        }
        text.closeArray()
        text.member("byteCount", byteCount)
        text.name("details")
        text.openObject()
        for (name, value) in details.sorted(by: { $0.key < $1.key }) { text.member(name, value) }
        text.closeObject()
        text.closeObject()
        return text.bytes
    }
}

/// Writes JSON text, commas where they belong.
private struct JSONText {
    var bytes: [UInt8] = []
    private var needsComma = false

    init() { bytes.reserveCapacity(1024) }

    mutating func openObject() { open(0x7B) }
    mutating func closeObject() { close(0x7D) }
    mutating func openArray() { open(0x5B) }
    mutating func closeArray() { close(0x5D) }

    mutating func name(_ name: String) {
        if needsComma { bytes.append(0x2C) }
        string(name)
        bytes.append(0x3A)
        needsComma = false
    }

    mutating func member(_ key: String, _ value: String?) {
        guard let value else { return }
        name(key)
        string(value)
        needsComma = true
    }

    mutating func member(_ key: String, _ value: Int) {
        name(key)
        bytes.append(contentsOf: String(value).utf8)
        needsComma = true
    }

    private mutating func open(_ bracket: UInt8) {
        if needsComma { bytes.append(0x2C) }
        bytes.append(bracket)
        needsComma = false
    }

    private mutating func close(_ bracket: UInt8) {
        bytes.append(bracket)
        needsComma = true
    }

    /// A JSON string (RFC 8259 7).
    private mutating func string(_ value: String) {
        bytes.append(0x22)
        for byte in value.utf8 {
            switch byte {
            case 0x22, 0x5C:
                bytes.append(0x5C)
                bytes.append(byte)
            case ..<0x20:
                let digits = Array("0123456789abcdef".utf8)
                bytes.append(contentsOf: [0x5C, 0x75, 0x30, 0x30, digits[Int(byte >> 4)], digits[Int(byte & 0xF)]])
            default:
                bytes.append(byte)
            }
        }
        bytes.append(0x22)
    }
}
