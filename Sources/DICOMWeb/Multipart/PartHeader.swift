/// The header of one part of a multipart body (RFC 2046 5.1, PS3.18 8.6.1.2).
public struct PartHeader: Hashable, Sendable {
    /// Why the part cannot be used, whatever its payload is.
    public enum Problem: String, Hashable, Sendable {
        /// The header is longer than the limit.
        case tooLarge
        /// The header has more fields than the limit.
        case tooManyFields
        /// A line is not a header field.
        case malformed
        /// The part is itself multipart.
        case nestedMultipart
        /// The payload is in base64, quoted-printable or an unknown coding, and taking its text for bytes would be wrong.
        case transferEncoding
    }

    /// One field; the name in lower case, the value without blanks around it.
    public struct Field: Hashable, Sendable {
        public var name: String
        public var value: String

        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    public var fields: [Field]
    public var problem: Problem?

    public init(fields: [Field] = [], problem: Problem? = nil) {
        self.fields = fields
        self.problem = problem
    }

    /// The value of the first field of that name, given in lower case.
    public subscript(name: String) -> String? { fields.first { $0.name == name }?.value }

    /// `nil` when there is none, or none that can be read.
    public var contentType: MediaType? { self["content-type"].flatMap { MediaType($0) } }
    /// As it was sent: a key that bulk data URIs are compared with, not a URL to follow.
    public var contentLocation: String? { self["content-location"] }
    /// Without the angle brackets.
    public var contentID: String? {
        guard let value = self["content-id"] else { return nil }
        return value.hasPrefix("<") && value.hasSuffix(">") && value.utf8.count >= 2
            ? String(value.dropFirst().dropLast()) : value
    }
}

extension PartHeader {
    /// Reads header lines that are without their line ends. Continuation lines are joined (RFC 5322 2.2.3).
    init(lines: [[UInt8]], limits: PartLimits) {
        self.init()
        for line in lines {
            guard let first = line.first else { continue }
            if first == 0x20 || first == 0x09 {
                guard !fields.isEmpty else {
                    problem = .malformed
                    continue
                }
                fields[fields.count - 1].value += " " + Self.trimmed(line[...])
                continue
            }
            guard let colon = line.firstIndex(of: 0x3A), colon > 0 else {
                problem = .malformed
                continue
            }
            guard fields.count < limits.headerFields else {
                problem = .tooManyFields
                break
            }
            fields.append(Field(Self.trimmed(line[..<colon]).lowercased(), Self.trimmed(line[(colon + 1)...])))
        }
        guard problem == nil else { return }
        if contentType?.type == "multipart" { problem = .nestedMultipart }
        switch self["content-transfer-encoding"]?.lowercased() {
        case nil, "", "binary", "8bit", "7bit", "identity", "none": break
        default: problem = problem ?? .transferEncoding
        }
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> String {
        var bytes = bytes
        while let last = bytes.last, last == 0x20 || last == 0x09 { bytes.removeLast() }
        while let first = bytes.first, first == 0x20 || first == 0x09 { bytes.removeFirst() }
        return String(decoding: bytes, as: UTF8.self)
    }
}
