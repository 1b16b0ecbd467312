/// The environment variables of the Kubernetes deployment that `stow`, `wado` and `core` fit into, as settings of ours. A
/// variable that begins with `GANTRY_` goes before them.
///
/// The bucket's variables count where `BUCKET_NAME` is there, those of the database where `DB_HOST` is: others may be meant
/// for other programs.
package struct ClusterEnvironment: Sendable {
    package struct Setting: Hashable, Sendable {
        package var variable: String
        package var key: String
        package var value: String
    }

    private let environment: [String: String]

    package init(_ environment: [String: String]) { self.environment = environment }

    /// Variables that are files of a mounted ConfigMap, and of a mounted Secret.
    private static let configurationFiles = ["BUCKET_HOST", "BUCKET_NAME", "BUCKET_PORT", "BUCKET_REGION"]
    private static let secretFiles = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]

    /// The environment with what the folders of `BUCKET_CONFIG_PATH` and `BUCKET_SECRET_PATH` hold. A variable that is there
    /// already stays.
    ///
    /// - Parameter read: the bytes of a small file; `nil` when it is not there.
    package static func adding(
        filesTo environment: [String: String], read: (String) -> [UInt8]?
    ) -> [String: String] {
        var result = environment
        for (variable, names) in [
            ("BUCKET_CONFIG_PATH", configurationFiles), ("BUCKET_SECRET_PATH", secretFiles),
        ] {
            guard let folder = environment[variable], !folder.isEmpty else { continue }
            for name in names where result[name] == nil {
                guard let bytes = read("\(folder)/\(name)"), let text = String(validating: bytes, as: UTF8.self) else {
                    continue
                }
                result[name] = text
            }
        }
        return result
    }

    /// Names with the key that takes them as they are.
    private static let simple = [
        ("PROVIDER_NAME", "provider"), ("K_SINK", "core.sink"), ("QUERY_ENDPOINT", "core.query"),
        ("EVENT_SOURCE", "core.eventSource"), ("WADO_INTERNAL_ENDPOINT", "wado.internalEndpoint"),
        ("WADO_EXTERNAL_ENDPOINT", "wado.externalEndpoint"),
    ]
    private static let ofBucket = [
        ("BUCKET_NAME", "objects.s3.bucket"), ("BUCKET_REGION", "objects.s3.region"),
        ("AWS_ACCESS_KEY_ID", "objects.s3.accessKeyID"), ("AWS_SECRET_ACCESS_KEY", "objects.s3.secretAccessKey"),
        ("AWS_SESSION_TOKEN", "objects.s3.sessionToken"),
    ]

    /// What the variables set, in our keys. Empty variables set nothing.
    package var settings: [Setting] {
        func settings(_ names: [(String, String)]) -> [Setting] {
            names.compactMap { variable, key in
                value(variable).map { Setting(variable: variable, key: key, value: $0) }
            }
        }
        var all = settings(Self.simple)
        if value("BUCKET_NAME") != nil {
            all += settings(Self.ofBucket)
            if let endpoint {
                all.append(Setting(variable: "BUCKET_HOST", key: "objects.s3.endpoint", value: endpoint))
            }
        }
        if let database { all.append(Setting(variable: "DB_HOST", key: "database", value: database)) }
        if value("DB_HOST") != nil, let password = value("DB_PASS") {
            all.append(Setting(variable: "DB_PASS", key: "postgres.password", value: password))
        }
        return all
    }

    private func value(_ name: String) -> String? {
        guard let text = environment[name] else { return nil }
        let trimmed = text.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed()
        return trimmed.isEmpty ? nil : String(trimmed)
    }

    /// The scheme is that of the host if it names one, else it follows from the port: 80 is the only one without TLS.
    private var endpoint: String? {
        guard var host = value("BUCKET_HOST") else { return nil }
        while host.hasSuffix("/") { host.removeLast() }
        let port = value("BUCKET_PORT")
        if !host.contains("://") { host = (port == "80" ? "http://" : "https://") + host }
        return port.map { "\(host):\($0)" } ?? host
    }

    /// Without the password, which is not part of an address that may be shown.
    private var database: String? {
        guard let host = value("DB_HOST") else { return nil }
        let user = value("DB_USER").map { Self.escaped($0) + "@" } ?? ""
        let port = value("DB_PORT").map { ":" + $0 } ?? ""
        let name = value("DB_NAME").map { "/" + Self.escaped($0) } ?? ""
        return "postgres://\(user)\(host)\(port)\(name)"
    }

    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E:
                escaped.unicodeScalars.append(Unicode.Scalar(byte))
            default: escaped += (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
            }
        }
        return escaped
    }
}
