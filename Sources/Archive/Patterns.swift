import DICOMCore
import SQLStorage

/// A pattern with `*` for any run of characters and `?` for one, as a condition that can use an index for what comes
/// before the first of them (PS3.4 C.2.2.2.4).
struct WildcardPattern {
    private let pattern: String

    init(_ pattern: String) { self.pattern = pattern }

    /// Whether nothing but `*` is in it.
    var isUniversal: Bool { !pattern.isEmpty && pattern.utf8.allSatisfy { $0 == UInt8(ascii: "*") } }

    var hasWildcards: Bool { pattern.utf8.contains { $0 == UInt8(ascii: "*") || $0 == UInt8(ascii: "?") } }

    /// What every match starts with.
    var prefix: Substring { pattern.prefix { $0 != "*" && $0 != "?" } }

    func condition(_ column: StaticString) -> SQLStatement {
        guard hasWildcards else { return "(\(raw: column) = \(pattern) AND \(raw: column) <> '')" }
        guard !isUniversal else { return "1 = 1" }
        var like = ""
        for character in pattern.unicodeScalars {
            switch character {
            case "*": like.append("%")
            case "?": like.append("_")
            case "%", "_", "~":
                like.append("~")
                like.unicodeScalars.append(character)
            default: like.unicodeScalars.append(character)
            }
        }
        let prefix = String(prefix)
        guard !prefix.isEmpty else { return "(\(raw: column) <> '' AND \(raw: column) LIKE \(like) ESCAPE '~')" }
        // Text compares byte by byte, and U+10FFFF is the highest that it can have.
        return """
            (\(raw: column) >= \(prefix) AND \(raw: column) < \(prefix + "\u{10FFFF}") AND \(raw: column) <> ''
                AND \(raw: column) LIKE \(like) ESCAPE '~')
            """
    }

    /// Text in which nothing has a meaning to LIKE.
    static func escaped(_ text: String) -> String {
        var escaped = String.UnicodeScalarView()
        for character in text.unicodeScalars {
            if character == "%" || character == "_" || character == "~" { escaped.append("~") }
            escaped.append(character)
        }
        return String(escaped)
    }
}

/// A person name as a matching key: one component group is compared with each group of the name, several with the group
/// of their place (PS3.4 C.2.2.2.1.1, PS3.5 6.2.1).
struct NamePattern {
    private let groups: [String]

    init(_ pattern: String) {
        groups = pattern.split(separator: "=", maxSplits: 2, omittingEmptySubsequences: false)
            .map { MatchingKeys.beginning(of: PersonNameKeys.normalized($0)) }
    }

    /// Whether an index leads to few names: a whole name, or at least two letters of its beginning.
    var leadsToFew: Bool {
        guard let first = groups.first, groups.count == 1 else { return false }
        let pattern = WildcardPattern(first)
        return !pattern.hasWildcards || pattern.prefix.utf8.count >= 2
    }

    func condition(_ columns: IndexedAttribute.NameColumns) -> SQLStatement {
        let all = [columns.alphabetic, columns.ideographic, columns.phonetic]
        if groups.count == 1, let group = groups.first {
            let pattern = WildcardPattern(group)
            guard !pattern.isUniversal else { return "1 = 1" }
            return "(\(all.map { pattern.condition($0) }.joined(by: " OR ")))"
        }
        let conditions = zip(groups, all).filter { !$0.0.isEmpty }.map { WildcardPattern($0.0).condition($0.1) }
        return conditions.isEmpty ? "1 = 1" : conditions.joined(by: " AND ")
    }

    /// Every word of the pattern sounds like some word of the name.
    func soundCondition(_ columns: IndexedAttribute.NameColumns) -> SQLStatement {
        let codes = groups.flatMap { PersonNameKeys.codes(ofWordsIn: $0) }
        guard !codes.isEmpty else { return condition(columns) }
        let sounds = codes.map { code in
            let pattern = "%\\" + WildcardPattern.escaped(code) + "\\%"
            return "\(raw: columns.codes) LIKE \(pattern) ESCAPE '~'" as SQLStatement
        }
        return "((\(sounds.joined(by: " AND "))) OR \(condition(columns)))"
    }
}
