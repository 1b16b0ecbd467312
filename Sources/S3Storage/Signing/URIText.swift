/// Percent-encoding as Signature Version 4 wants it: every byte but the unreserved ones of RFC 3986 becomes `%XX` with capital letters.
enum URIText {
    /// Encodes a name or a value of the query.
    static func encoded(_ text: some StringProtocol) -> String { encoded(text, keepsSlashes: false) }

    /// Encodes a key: its slashes stay. Nothing is normalised, each byte is encoded once.
    static func encodedPath(_ key: some StringProtocol) -> String { encoded(key, keepsSlashes: true) }

    private static func encoded(_ text: some StringProtocol, keepsSlashes: Bool) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        for byte in text.utf8 {
            if isUnreserved(byte) || keepsSlashes && byte == UInt8(ascii: "/") {
                bytes.append(byte)
            } else {
                bytes += [UInt8(ascii: "%"), digit(byte >> 4), digit(byte & 15)]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            true
        default: false
        }
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") + value - 10
    }
}

/// Lower-case hexadecimal digits.
func hexDigits(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for byte in bytes { text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
    return String(decoding: text, as: UTF8.self)
}

/// Base64 with padding (RFC 4648 4), as checksums are written.
func base64(_ bytes: some Collection<UInt8>) -> String {
    let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    var rest = bytes[...]
    while let first = rest.popFirst() {
        let second = rest.popFirst()
        let third = rest.popFirst()
        text.append(digits[Int(first >> 2)])
        text.append(digits[Int((first & 3) << 4 | (second ?? 0) >> 4)])
        text.append(second == nil ? UInt8(ascii: "=") : digits[Int(((second ?? 0) & 15) << 2 | (third ?? 0) >> 6)])
        text.append(third == nil ? UInt8(ascii: "=") : digits[Int((third ?? 0) & 63)])
    }
    return String(decoding: text, as: UTF8.self)
}
