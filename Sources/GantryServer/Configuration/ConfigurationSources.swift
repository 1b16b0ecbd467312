import Configuration

/// What a configuration is read from: a file, then the environment over it, then flags over both.
package struct ConfigurationSources: Sendable {
    package struct File: Sendable {
        package var path: String
        package var text: String

        package init(path: String, text: String) {
            self.path = path
            self.text = text
        }
    }

    package struct Flag: Sendable {
        /// As the user wrote it: `--port`.
        package var name: String
        package var key: String
        package var value: String

        package init(name: String, key: String, value: String) {
            self.name = name
            self.key = key
            self.value = value
        }
    }

    package var file: File?
    package var environment: [String: String]
    package var flags: [Flag]

    package init(file: File? = nil, environment: [String: String] = [:], flags: [Flag] = []) {
        self.file = file
        self.environment = environment
        self.flags = flags
    }

    /// A configuration, and where each of its values comes from.
    package struct Reading: Sendable {
        package var configuration: GantryConfiguration
        package var origins: [String: ConfigurationOrigin]
    }

    /// Reads everything there is and checks it. All problems are told at once.
    package func read() throws(ConfigurationError) -> Reading {
        var reading = Reading(configuration: GantryConfiguration(), origins: [:])
        var problems: [ConfigurationError.Problem] = []

        if let file { Self.read(file, into: &reading, &problems) }
        readEnvironment(into: &reading, &problems)
        readFlags(into: &reading, &problems)
        problems += reading.configuration.contradictions { reading.origins[$0] ?? .builtIn }

        guard problems.isEmpty else { throw ConfigurationError(problems) }
        return reading
    }

    private static func read(_ file: File, into reading: inout Reading, _ problems: inout [ConfigurationError.Problem])
    {
        let lines = YAMLKeyLines(file.text)
        // A file without keys, as one of comments only, has nothing to parse.
        if lines.keys.isEmpty, lines.problems.isEmpty { return }
        let snapshot: YAMLSnapshot
        do {
            snapshot = try YAMLSnapshot(
                data: Array(file.text.utf8).span.bytes, providerName: file.path, parsingOptions: .default)
        } catch {
            let line = lines.problems.first?.line ?? 1
            problems.append(
                .init(.file(path: file.path, line: line), key: nil, "not the YAML that is expected: \(error)"))
            return
        }
        for problem in lines.problems {
            problems.append(.init(.file(path: file.path, line: problem.line), key: nil, problem.message))
        }
        var seen: [String: Int] = [:]
        for found in lines.keys {
            let origin = ConfigurationOrigin.file(path: file.path, line: found.line)
            if let first = seen.updateValue(found.line, forKey: found.name) {
                problems.append(.init(origin, key: found.name, "is there already, on line \(first)"))
                continue
            }
            guard let key = ConfigurationKey.named(found.name) else {
                if !found.isGroup || !ConfigurationKey.isGroup(found.name) {
                    problems.append(.init(origin, key: found.name, ConfigurationKey.unknown(found.name)))
                }
                continue
            }
            guard found.hasValue, !found.isGroup else {
                problems.append(.init(origin, key: found.name, "needs a value: \(key.type)"))
                continue
            }
            take(texts(of: key, in: snapshot), for: key, from: origin, into: &reading, &problems)
        }
    }

    private func readEnvironment(into reading: inout Reading, _ problems: inout [ConfigurationError.Problem]) {
        for setting in ClusterEnvironment(environment).settings {
            guard let key = ConfigurationKey.named(setting.key) else { continue }
            Self.take(
                Self.texts(setting.value, for: key), for: key, from: .environment(name: setting.variable),
                into: &reading, &problems)
        }
        let provider = EnvironmentVariablesProvider(environmentVariables: environment).snapshot()
        for key in ConfigurationKey.all where environment[key.environmentName] != nil {
            let texts = Self.texts(of: key, in: provider, prefix: ["gantry"])
            Self.take(texts, for: key, from: .environment(name: key.environmentName), into: &reading, &problems)
        }
        let known = Set(ConfigurationKey.all.map(\.environmentName))
        for name in environment.keys.sorted() where name.hasPrefix("GANTRY_") && !known.contains(name) {
            guard !Self.isForeign(name) else { continue }
            problems.append(.init(.environment(name: name), key: nil, "there is no such key"))
        }
    }

    private func readFlags(into reading: inout Reading, _ problems: inout [ConfigurationError.Problem]) {
        for flag in flags {
            guard let key = ConfigurationKey.named(flag.key) else {
                problems.append(.init(.flag(name: flag.name), key: flag.key, ConfigurationKey.unknown(flag.key)))
                continue
            }
            Self.take(
                Self.texts(flag.value, for: key), for: key, from: .flag(name: flag.name), into: &reading, &problems)
        }
    }

    /// Variables that are not ours to read: of the command itself, of the make goals, and those that
    /// Kubernetes sets for a Service of the name "gantry".
    private static func isForeign(_ name: String) -> Bool {
        ["GANTRY_CONFIG", "GANTRY_BUILD", "GANTRY_PORT", "GANTRY_CLIENT_ID", "GANTRY_CLIENT_SECRET", "GANTRY_API_KEY"]
            .contains(name)
            || ["GANTRY_PORT_", "GANTRY_SERVICE_", "GANTRY_TEST_", "GANTRY_CONFORMANCE_"].contains {
                name.hasPrefix($0)
            }
    }

    private static func texts(
        of key: ConfigurationKey, in snapshot: some ConfigSnapshot, prefix: [String] = []
    ) -> [String]? {
        let path = AbsoluteConfigKey(prefix + key.name.split(separator: ".").map(String.init))
        if key.isList, let list = try? snapshot.value(forKey: path, type: .stringArray).value,
            case .stringArray(let texts) = list.content
        {
            return texts.filter { !$0.isEmpty }
        }
        guard let one = try? snapshot.value(forKey: path, type: .string).value, case .string(let text) = one.content
        else { return nil }
        return texts(text, for: key)
    }

    /// A list in one text is separated by commas.
    private static func texts(_ text: String, for key: ConfigurationKey) -> [String] {
        guard key.isList else { return [text] }
        return text.split(separator: ",").map { String($0.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()) }
    }

    private static func take(
        _ texts: [String]?, for key: ConfigurationKey, from origin: ConfigurationOrigin, into reading: inout Reading,
        _ problems: inout [ConfigurationError.Problem]
    ) {
        guard let texts, key.assign(texts, &reading.configuration) else {
            let given = texts.map { "'" + $0.joined(separator: ", ") + "'" } ?? "the value"
            problems.append(.init(origin, key: key.name, "\(given) is not understood; it takes: \(key.type)"))
            return
        }
        reading.origins[key.name] = origin
    }
}

extension ConfigurationKey {
    static func named(_ name: String) -> ConfigurationKey? { all.first { $0.name == name } }

    /// Whether keys are below this name.
    static func isGroup(_ name: String) -> Bool { all.contains { $0.name.hasPrefix(name + ".") } }

    /// What to say of a name that is none.
    static func unknown(_ name: String) -> String {
        if isGroup(name) { return "is a group of keys and takes no value" }
        let nearest = all.min { distance($0.name, name) < distance($1.name, name) }
        guard let nearest, distance(nearest.name, name) <= max(2, name.count / 4) else { return "there is no such key" }
        return "there is no such key; did you mean \(nearest.name)?"
    }

    /// Insertions, deletions and replacements between two names, without regard to case.
    private static func distance(_ left: String, _ right: String) -> Int {
        let left = Array(left.lowercased().utf8.prefix(64))
        let right = Array(right.lowercased().utf8.prefix(64))
        var previous = Array(0...right.count)
        for (row, one) in left.enumerated() {
            var current = [row + 1]
            for (column, other) in right.enumerated() {
                current.append(
                    min(previous[column + 1] + 1, current[column] + 1, previous[column] + (one == other ? 0 : 1)))
            }
            previous = current
        }
        return previous[right.count]
    }
}
