/// Where a value was set. Later cases go before earlier ones.
package enum ConfigurationOrigin: Hashable, Sendable, CustomStringConvertible {
    case builtIn
    case file(path: String, line: Int)
    case environment(name: String)
    case flag(name: String)

    package var description: String {
        switch self {
        case .builtIn: "default"
        case .file(let path, let line): "\(path):\(line)"
        case .environment(let name): "environment variable \(name)"
        case .flag(let name): name
        }
    }
}

/// Why the configuration cannot be used: everything that is wrong with it, not only the first thing.
package struct ConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
    package struct Problem: Hashable, Sendable, CustomStringConvertible {
        package var origin: ConfigurationOrigin
        /// The key, when the problem is about one.
        package var key: String?
        package var message: String

        package init(_ origin: ConfigurationOrigin, key: String?, _ message: String) {
            self.origin = origin
            self.key = key
            self.message = message
        }

        package var description: String {
            key.map { "\(origin): \($0): \(message)" } ?? "\(origin): \(message)"
        }
    }

    package var problems: [Problem]

    package init(_ problems: [Problem]) {
        self.problems = problems
    }

    package var description: String {
        problems.map(\.description).joined(separator: "\n")
    }
}
