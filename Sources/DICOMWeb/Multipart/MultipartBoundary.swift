/// The text that separates the parts of a multipart body (RFC 2046 5.1.1).
public struct MultipartBoundary: Hashable, Sendable {
    /// Without the leading hyphens.
    public let text: String

    /// Takes 1 to 70 visible ASCII characters; blanks are allowed inside. That is wider than the repertoire of
    /// RFC 2046, because senders are.
    public init?(_ text: String) {
        let bytes = text.utf8
        guard (1...70).contains(bytes.count), bytes.allSatisfy({ (0x20...0x7E).contains($0) }), bytes.last != 0x20,
            bytes.first != 0x20
        else { return nil }
        self.text = text
    }

    /// A boundary of 144 random bits, which no payload contains but by a chance of nothing.
    public init(using generator: inout some RandomNumberGenerator) {
        let digits = Array("0123456789abcdefghijklmnopqrstuv".utf8)
        var text = "gantry-"
        for _ in 0..<2 {
            var bits: UInt64 = generator.next()
            for _ in 0..<12 {
                text.unicodeScalars.append(Unicode.Scalar(digits[Int(bits & 31)]))
                bits >>= 5
            }
        }
        var bits: UInt64 = generator.next()
        for _ in 0..<5 {
            text.unicodeScalars.append(Unicode.Scalar(digits[Int(bits & 31)]))
            bits >>= 5
        }
        self.text = text
    }
}
