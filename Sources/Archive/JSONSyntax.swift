/// Checks prepared values that another process sent: they are copied into answers as they are, so that they must be JSON
/// (RFC 8259). A zero byte in a string is the place of the instance's URL.
struct JSONSyntax {
    private let bytes: UnsafeRawBufferPointer
    private var position = 0

    private static let deepest = 256

    /// Whether this is one JSON object in UTF-8 and nothing else.
    static func isObject(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.first == 0x7B else { return false }
        var syntax = JSONSyntax(bytes: bytes)
        return syntax.takeValue(depth: 0) && syntax.position == bytes.count
            && String(validating: bytes, as: UTF8.self) != nil
    }

    private init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    private mutating func take(_ text: StaticString) -> Bool {
        let end = position + text.utf8CodeUnitCount
        guard end <= bytes.count else { return false }
        for offset in 0..<text.utf8CodeUnitCount where bytes[position + offset] != text.utf8Start[offset] {
            return false
        }
        position = end
        return true
    }

    private mutating func takeValue(depth: Int) -> Bool {
        guard depth <= Self.deepest, position < bytes.count else { return false }
        switch bytes[position] {
        case 0x7B: return takeMembers(depth: depth)
        case 0x5B: return takeItems(depth: depth)
        case 0x22: return takeString()
        case 0x74: return take("true")
        case 0x66: return take("false")
        case 0x6E: return take("null")
        default: return takeNumber()
        }
    }

    private mutating func takeMembers(depth: Int) -> Bool {
        position += 1
        guard !take(0x7D) else { return true }
        repeat {
            guard takeString(), take(0x3A), takeValue(depth: depth + 1) else { return false }
        } while take(0x2C)
        return take(0x7D)
    }

    private mutating func takeItems(depth: Int) -> Bool {
        position += 1
        guard !take(0x5D) else { return true }
        repeat {
            guard takeValue(depth: depth + 1) else { return false }
        } while take(0x2C)
        return take(0x5D)
    }

    private mutating func takeString() -> Bool {
        guard take(0x22) else { return false }
        while position < bytes.count {
            switch bytes[position] {
            case 0x22:
                position += 1
                return true
            case 0x5C:
                guard position + 1 < bytes.count else { return false }
                let escape = bytes[position + 1]
                position += 2
                guard escape != 0x75 else {
                    guard position + 4 <= bytes.count,
                        bytes[position..<position + 4].allSatisfy({ Self.isHexadecimal($0) })
                    else { return false }
                    position += 4
                    continue
                }
                guard [0x22, 0x2F, 0x5C, 0x62, 0x66, 0x6E, 0x72, 0x74].contains(escape) else { return false }
            case 0x01..<0x20: return false
            default: position += 1
            }
        }
        return false
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x46).contains(byte) || (0x61...0x66).contains(byte)
    }

    private mutating func takeNumber() -> Bool {
        _ = take(0x2D)
        let leading = position
        guard takeDigits(), bytes[leading] != 0x30 || position == leading + 1 else { return false }
        if take(0x2E), !takeDigits() { return false }
        if take(0x65) || take(0x45) {
            if !take(0x2B) { _ = take(0x2D) }
            return takeDigits()
        }
        return true
    }

    private mutating func takeDigits() -> Bool {
        let start = position
        while position < bytes.count, (0x30...0x39).contains(bytes[position]) { position += 1 }
        return position > start
    }
}
