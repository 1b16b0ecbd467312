/// The version of a representation (RFC 9110 8.8.3).
public struct EntityTag: Hashable, Sendable {
    /// Without quotes.
    public var opaque: String
    public var isWeak: Bool

    public init(_ opaque: String, isWeak: Bool = false) {
        self.opaque = opaque
        self.isWeak = isWeak
    }

    /// Whether an If-None-Match header names this version or any, so that the answer is 304 (RFC 9110 13.1.2). Weak and
    /// strong tags compare as equal.
    public func matches(ifNoneMatch fieldValues: [String]) -> Bool {
        fieldValues.contains { value in
            Self.list(value).contains { $0 == "*" || $0 == opaque[...] }
        }
    }

    /// Whether an If-Match header names this version or any (RFC 9110 13.1.1). Weak tags never match.
    public func matches(ifMatch fieldValues: [String]) -> Bool {
        fieldValues.contains { value in
            Self.list(value, strongOnly: true).contains { $0 == "*" || !isWeak && $0 == opaque[...] }
        }
    }

    /// What stands between the quotes of each tag; a lone asterisk as itself. Stops at what is no tag.
    private static func list(_ text: String, strongOnly: Bool = false) -> [Substring] {
        var rest = text[...]
        var tags: [Substring] = []
        while true {
            rest = rest.drop { $0 == " " || $0 == "\t" || $0 == "," }
            if rest.first == "*" { return tags + ["*"] }
            let isWeak = rest.hasPrefix("W/")
            if isWeak { rest = rest.dropFirst(2) }
            guard rest.first == "\"" else { return tags }
            rest = rest.dropFirst()
            guard let end = rest.firstIndex(of: "\"") else { return tags }
            // A tag of one asterisk in quotes is no wildcard.
            if !(isWeak && strongOnly), rest[..<end] != "*" { tags.append(rest[..<end]) }
            rest = rest[rest.index(after: end)...]
        }
    }
}

extension EntityTag: CustomStringConvertible {
    /// The value of the ETag header.
    public var description: String { "\(isWeak ? "W/" : "")\"\(opaque)\"" }
}
