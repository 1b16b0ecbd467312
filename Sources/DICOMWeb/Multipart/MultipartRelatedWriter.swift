/// Writes what stands around the payloads of a `multipart/related` body (RFC 2046 5.1.1, RFC 2387, PS3.18 8.6.1.2).
public struct MultipartRelatedWriter: Sendable {
    public let boundary: MultipartBoundary
    /// The media type of the parts, without parameters.
    public let partType: String
    /// The transfer syntax that all parts share, if the header of the body should tell.
    public let transferSyntax: String?
    private var hasParts = false

    public init(
        partType: String, transferSyntax: String? = nil, using generator: inout some RandomNumberGenerator
    ) {
        boundary = MultipartBoundary(using: &generator)
        self.partType = partType
        self.transferSyntax = transferSyntax
    }

    /// The value of the body's Content-Type header; `type` and `boundary` are quoted.
    public var contentType: String {
        let suffix = transferSyntax.map { "; transfer-syntax=\($0)" } ?? ""
        return "multipart/related; type=\"\(partType)\"; boundary=\"\(boundary.text)\"\(suffix)"
    }

    /// The delimiter and header of the next part, up to the empty line.
    public mutating func partBegins(
        contentType: String, location: String? = nil, length: Int? = nil, fields: [PartHeader.Field] = []
    ) -> [UInt8] {
        var text = hasParts ? "\r\n--" : "--"
        hasParts = true
        text += "\(boundary.text)\r\nContent-Type: \(Self.line(contentType))\r\n"
        if let location { text += "Content-Location: \(Self.line(location))\r\n" }
        if let length { text += "Content-Length: \(length)\r\n" }
        for field in fields { text += "\(Self.line(field.name)): \(Self.line(field.value))\r\n" }
        text += "\r\n"
        return Array(text.utf8)
    }

    /// The close delimiter.
    public func end() -> [UInt8] {
        Array("\(hasParts ? "\r\n" : "")--\(boundary.text)--\r\n".utf8)
    }

    /// A value that cannot end its line.
    private static func line(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else { return text }
        return String(decoding: text.utf8.map { $0 < 0x20 || $0 == 0x7F ? 0x20 : $0 }, as: UTF8.self)
    }
}
