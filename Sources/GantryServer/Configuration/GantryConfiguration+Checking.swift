extension GantryConfiguration {
    /// Values that are fine on their own, but not together.
    func contradictions(
        originOf origin: (String) -> ConfigurationOrigin
    ) -> [ConfigurationError.Problem] {
        var problems: [ConfigurationError.Problem] = []
        problems += missingForRole.map { missing in
            .init(
                origin(missing.key), key: missing.key,
                "is missing: the role \(role.rawValue) needs \(missing.what); set the key, or the environment variable \(missing.variable)"
            )
        }
        if (tls.certificate == nil) != (tls.key == nil) {
            let missing = tls.key == nil ? "server.tls.key" : "server.tls.certificate"
            problems.append(
                .init(origin(missing), key: missing, "server.tls.certificate and server.tls.key go together"))
        }
        if tls.clientCertificates != .off, tls.clientCA == nil || !tls.isOn {
            problems.append(
                .init(
                    origin("server.tls.clientCertificates"), key: "server.tls.clientCertificates",
                    "needs server.tls.certificate, server.tls.key and server.tls.clientCA"))
        }
        if limits.bytesPerRequest < limits.bytesPerPart {
            problems.append(
                .init(
                    origin("limits.bytesPerRequest"), key: "limits.bytesPerRequest",
                    "is less than limits.bytesPerPart, so that no instance of that size could ever arrive"))
        }
        if s3.bucket != nil, s3.accessKeyID.isEmpty != s3.secretAccessKey.isEmpty {
            let missing = "objects.s3." + (s3.accessKeyID.isEmpty ? "accessKeyID" : "secretAccessKey")
            problems.append(
                .init(origin(missing), key: missing, "is missing, though the other half of the key is there"))
        }
        if s3.bucket == nil, s3.endpoint != nil {
            problems.append(
                .init(
                    origin("objects.s3.bucket"), key: "objects.s3.bucket",
                    "is missing, though objects.s3.endpoint names a service"))
        }
        if disk.lowWatermark > disk.highWatermark {
            problems.append(
                .init(
                    origin("disk.lowWatermark"), key: "disk.lowWatermark",
                    "is more than disk.highWatermark, so that instances would be refused and taken at once"))
        }
        if uploads.lifetime > uploads.longestLifetime {
            problems.append(
                .init(
                    origin("uploads.lifetime"), key: "uploads.lifetime",
                    "is more than uploads.longestLifetime, so that no URL could live as long"))
        }
        return problems
    }

    /// What the role cannot do without.
    private var missingForRole: [(key: String, variable: String, what: String)] {
        let bucket = (key: "objects.s3.bucket", variable: "BUCKET_NAME", what: "the bucket that all processes share")
        var missing: [(key: String, variable: String, what: String)] = []
        switch role {
        case .all, .core: break
        case .stow:
            if core.sink == nil { missing.append(("core.sink", "K_SINK", "the address of the event processor")) }
            if s3.bucket == nil { missing.append(bucket) }
        case .wado:
            if core.query == nil {
                missing.append(("core.query", "QUERY_ENDPOINT", "the address of the core's query endpoint"))
            }
            if s3.bucket == nil { missing.append(bucket) }
        }
        return missing
    }

    /// The configuration in the notation of the file, each value with where it comes from.
    package func printed(origins: [String: ConfigurationOrigin] = [:]) -> String {
        var text = ""
        var groups: [Substring] = []
        for key in ConfigurationKey.all {
            let parts = key.name.split(separator: ".")
            let own = Array(parts.dropLast())
            let common = zip(groups, own).prefix { $0 == $1 }.count
            for depth in common..<own.count { text += String(repeating: "  ", count: depth) + "\(own[depth]):\n" }
            groups = own
            let line = String(repeating: "  ", count: own.count) + parts[own.count] + ": " + key.show(self)
            let padding = String(repeating: " ", count: max(1, 44 - line.count))
            text += "\(line)\(padding)# \(origins[key.name] ?? .builtIn)\n"
        }
        return text
    }
}
