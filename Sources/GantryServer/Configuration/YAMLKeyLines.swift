/// Finds the keys of a configuration file and the lines they are on.
///
/// The YAML parser that gives us the values neither lists keys nor tells their places. This understands what
/// a configuration file needs: nested block mappings with scalars and lists. What it does not understand is a problem,
/// so nothing can be set unseen.
struct YAMLKeyLines: Sendable {
    struct Key: Hashable, Sendable {
        /// Dotted, as `server.port`.
        var name: String
        /// From 1.
        var line: Int
        /// Whether other keys are below it.
        var isGroup: Bool
        var hasValue: Bool
    }

    struct Problem: Hashable, Sendable {
        var line: Int
        var message: String
    }

    private(set) var keys: [Key] = []
    private(set) var problems: [Problem] = []

    init(_ text: String) {
        var open: [(indentation: Int, index: Int)] = []
        var blockScalarIndentation: Int?

        for (number, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let indentation = line.prefix { $0 == " " }.count
            let content = Self.trimmed(line)
            if let outer = blockScalarIndentation {
                if content.isEmpty || indentation > outer { continue }
                blockScalarIndentation = nil
            }
            if content.isEmpty || content.hasPrefix("#") || content == "---" || content == "..." { continue }
            if content == "-" || content.hasPrefix("- ") {
                if let last = open.last { keys[last.index].hasValue = true }
                continue
            }
            guard let (name, value) = Self.split(content) else {
                problems.append(Problem(line: number + 1, message: "this is not 'key: value'"))
                continue
            }
            while let last = open.last, last.indentation >= indentation { open.removeLast() }
            if let parent = open.last { keys[parent.index].isGroup = true }
            let path = open.last.map { keys[$0.index].name + "." + name } ?? name
            open.append((indentation, keys.count))
            keys.append(Key(name: path, line: number + 1, isGroup: false, hasValue: !value.isEmpty))

            switch value.first {
            case "|", ">": blockScalarIndentation = indentation
            case "{", "&", "*", "!":
                problems.append(Problem(line: number + 1, message: "write the values of \(path) on lines of their own"))
            case "[" where !value.contains("]"):
                problems.append(
                    Problem(
                        line: number + 1, message: "write the list of \(path) on one line, or each value after '- '"))
            default: break
            }
        }
    }

    /// Key and value of a line; the value without a comment.
    private static func split(_ content: Substring) -> (name: String, value: Substring)? {
        var name = content.prefix { $0 != ":" }
        var rest = content.dropFirst(name.count)
        guard rest.first == ":" else { return nil }
        rest = rest.dropFirst()
        guard rest.isEmpty || rest.first == " " else { return nil }
        name = trimmed(name)
        for quote in ["\"", "'"] where name.count >= 2 && name.hasPrefix(quote) && name.hasSuffix(quote) {
            name = name.dropFirst().dropLast()
        }
        let isName = name.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || "._-".utf8.contains(byte)
        }
        guard isName, !name.isEmpty else { return nil }
        let value = trimmed(rest)
        return (String(name), value.hasPrefix("#") ? "" : value)
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text.drop { $0 == " " || $0 == "\t" }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return text
    }
}
