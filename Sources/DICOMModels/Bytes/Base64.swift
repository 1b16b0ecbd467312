/// Base64 without anything around it (RFC 4648 4).
enum Base64 {
    /// The bytes; `nil` for white space, other characters, missing padding, or bits left over that are not zero.
    static func decode(_ text: UnsafeRawBufferPointer) -> [UInt8]? {
        guard text.count % 4 == 0 else { return nil }
        guard let last = text.last else { return [] }
        let padding = last != 0x3D ? 0 : text[text.count - 2] != 0x3D ? 1 : 2
        let length = text.count / 4 * 3 - padding
        var isValid = true
        let bytes = [UInt8](unsafeUninitializedCapacity: length + 2) { output, count in
            var position = 0
            for index in stride(from: 0, to: text.count, by: 4) {
                var group: UInt32 = 0
                for offset in index..<index + 4 {
                    let byte = text[offset]
                    let isPadding = byte == 0x3D && offset >= text.count - padding
                    let digit = isPadding ? 0 : value(of: byte)
                    if digit > 0x3F { isValid = false }
                    group = group << 6 | UInt32(digit & 0x3F)
                }
                output[position] = UInt8(truncatingIfNeeded: group >> 16)
                output[position + 1] = UInt8(truncatingIfNeeded: group >> 8)
                output[position + 2] = UInt8(truncatingIfNeeded: group)
                position += 3
                if index + 4 == text.count {
                    if padding == 1, group & 0xFF != 0 { isValid = false }
                    if padding == 2, group & 0xFFFF != 0 { isValid = false }
                }
            }
            count = length
        }
        return isValid ? bytes : nil
    }

    @inline(__always)
    private static func value(of byte: UInt8) -> UInt8 {
        switch byte {
        case 0x41...0x5A: byte &- 0x41
        case 0x61...0x7A: byte &- 0x47
        case 0x30...0x39: byte &+ 4
        case 0x2B: 62
        case 0x2F: 63
        default: 0xFF
        }
    }
}
