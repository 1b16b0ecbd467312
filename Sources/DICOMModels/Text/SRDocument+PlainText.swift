extension SRDocument {
    /// The document as plain text: a line for each item, indented as it is nested (PS3.18 8.7.2, text/plain).
    public func plainText() -> String {
        var text = title + "\n"
        for line in header { text += "\(line.label): \(line.value)\n" }
        for item in content {
            if item.value == .container { text += "\n" }
            Self.write(item, depth: 0, into: &text)
        }
        return Self.cleaned(text)
    }

    private static func write(_ item: ContentItem, depth: Int, into text: inout String) {
        let indentation = String(repeating: "  ", count: depth)
        let line: String
        if let value = item.readableValue {
            line = (item.name.map { "\($0): " } ?? "") + value
        } else {
            line = item.name ?? ""
        }
        // Lines of a value stay below each other.
        let lines = line.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" || $0 == "\r" }
        text += lines.map { indentation + $0 }.joined(separator: "\n") + "\n"
        for child in item.children { write(child, depth: depth + 1, into: &text) }
    }

    /// Without control characters, which could do things in a terminal.
    private static func cleaned(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            let isControl =
                scalar.value < 0x20 && scalar != "\n" && scalar != "\t" || (0x7F...0x9F).contains(scalar.value)
            result.append(isControl ? "\u{FFFD}" : scalar)
        }
        return String(result)
    }
}
