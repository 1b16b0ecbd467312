package import DICOMCore

/// What a value of an order's metadata is called: an attribute, or a name of the sender's own.
package enum MetadataName: Hashable, Sendable {
    case attribute(Tag, keyword: String)
    case custom(String)

    private static let customPrefix = "custom."

    /// Reads a key as senders write it: a keyword (`PatientAge`), that in `snake_case` or `camelCase`, or a tag of eight
    /// digits. Anything else is a name of the sender's own.
    package init(key: String) {
        let dictionary = DataDictionary.standard
        let tag =
            dictionary.tag(forKeyword: key) ?? Self.tagsByLoweredKeyword[Self.lowered(key)] ?? Tag(hexadecimal: key)
        if let tag, let keyword = dictionary.keyword(for: tag) {
            self = .attribute(tag, keyword: keyword)
        } else {
            self = .custom(key)
        }
    }

    /// Reads a name as it is kept.
    init(stored: String) {
        if stored.hasPrefix(Self.customPrefix) {
            self = .custom(String(stored.dropFirst(Self.customPrefix.count)))
        } else {
            self = MetadataName(key: stored)
        }
    }

    /// The name as it is kept.
    var stored: String {
        switch self {
        case .attribute(_, let keyword): keyword
        case .custom(let name): Self.customPrefix + name
        }
    }

    /// The JSON pointer (RFC 6901) of the value in the merged metadata.
    package var pointer: String {
        switch self {
        case .attribute(_, let keyword): "/" + keyword
        case .custom(let name): "/custom/" + Self.pointerToken(name)
        }
    }

    /// A name as a part of a JSON pointer.
    static func pointerToken(_ name: String) -> String {
        var token = ""
        for character in name {
            switch character {
            case "~": token += "~0"
            case "/": token += "~1"
            default: token.append(character)
            }
        }
        return token
    }

    /// Keywords without their capital letters; those of repeating groups name no one attribute and are left out.
    private static let tagsByLoweredKeyword: [String: Tag] = {
        let attributes = DataDictionary.standard.registeredAttributes.filter { !$0.tagPattern.contains("x") }
        return Dictionary(
            attributes.compactMap { attribute in
                Tag(hexadecimal: attribute.tagPattern).map { (attribute.keyword.lowercased(), $0) }
            }, uniquingKeysWith: { first, _ in first }
        ).filter { !$0.key.isEmpty }
    }()

    private static func lowered(_ key: String) -> String { key.filter { $0 != "_" }.lowercased() }
}
