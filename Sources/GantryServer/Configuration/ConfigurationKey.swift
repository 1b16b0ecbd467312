/// One thing that can be set: its name, what it takes, what it means.
///
/// Reading, `--print-config` and docs/configuration.md all come from these definitions.
package struct ConfigurationKey: Sendable {
    /// Dotted, as `server.port`; each part but the last is a group of the file.
    package let name: String
    /// What can be written.
    package let type: String
    package let summary: String
    package let isList: Bool
    /// Takes the texts of the value into the configuration; says whether they were understood.
    let assign: @Sendable ([String], inout GantryConfiguration) -> Bool
    /// The value in the notation of the file.
    package let show: @Sendable (GantryConfiguration) -> String

    /// A key of one value.
    init<Value>(
        _ name: String, _ path: any WritableKeyPath<GantryConfiguration, Value> & Sendable,
        _ notation: ConfigurationNotation<Value>, _ summary: String
    ) {
        self.name = name
        self.type = notation.type
        self.summary = summary
        self.isList = false
        self.assign = { texts, configuration in
            guard texts.count == 1, let value = notation.read(texts[0]) else { return false }
            configuration[keyPath: path] = value
            return true
        }
        self.show = { Self.quoted(notation.show($0[keyPath: path])) }
    }

    /// A key whose value is nobody's business: it is never shown.
    init(secret name: String, _ path: any WritableKeyPath<GantryConfiguration, String> & Sendable, _ summary: String) {
        self.name = name
        self.type = "secret text"
        self.summary = summary
        self.isList = false
        self.assign = { texts, configuration in
            guard texts.count == 1 else { return false }
            configuration[keyPath: path] = texts[0]
            return true
        }
        self.show = { Self.quoted($0[keyPath: path].isEmpty ? "" : Self.mask) }
    }

    /// Stands for what is not shown.
    static let mask = "****"

    /// A key of any number of values.
    init<Value>(
        list name: String, _ path: any WritableKeyPath<GantryConfiguration, [Value]> & Sendable,
        _ notation: ConfigurationNotation<Value>, _ summary: String
    ) {
        self.name = name
        self.type = "list of: \(notation.type)"
        self.summary = summary
        self.isList = true
        self.assign = { texts, configuration in
            let values = texts.map(notation.read)
            let understood = values.compactMap(\.self)
            guard understood.count == values.count else { return false }
            configuration[keyPath: path] = understood
            return true
        }
        self.show = { configuration in
            "[" + configuration[keyPath: path].map { Self.quoted(notation.show($0)) }.joined(separator: ", ") + "]"
        }
    }

    /// The variable that sets it: `server.publicURL` is `GANTRY_SERVER_PUBLIC_URL`.
    package var environmentName: String {
        var result = "GANTRY_"
        var previous: Character = "_"
        for character in name {
            if previous.isLowercase, character.isUppercase { result.append("_") }
            result.append(character == "." ? "_" : Character(character.uppercased()))
            previous = character
        }
        return result
    }

    /// The text as a YAML scalar.
    private static func quoted(_ text: String) -> String {
        let plain = text.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || "./_-:".utf8.contains(byte)
        }
        guard !plain || text.isEmpty || text.hasPrefix("-") || text.hasPrefix(":") || text.hasSuffix(":") else {
            return text
        }
        let escaped = text.flatMap { $0 == "\\" || $0 == "\"" ? ["\\", $0] : [$0] }
        return "\"" + String(escaped) + "\""
    }
}
