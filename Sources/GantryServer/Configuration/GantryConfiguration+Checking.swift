extension GantryConfiguration {
    /// Values that are fine on their own, but not together.
    func contradictions(
        originOf origin: (String) -> ConfigurationOrigin
    ) -> [ConfigurationError.Problem] {
        var problems: [ConfigurationError.Problem] = []
        if !access.anonymousRemote, !IPAddressKind.isLoopback(server.host) {
            problems.append(
                .init(
                    origin("server.host"), key: "server.host",
                    "others could reach this address, and nobody has to say who they are; "
                        + "listen on 127.0.0.1, or set access.anonymousRemote to true"))
        }
        if limits.bytesPerRequest < limits.bytesPerPart {
            problems.append(
                .init(
                    origin("limits.bytesPerRequest"), key: "limits.bytesPerRequest",
                    "is less than limits.bytesPerPart, so that no instance of that size could ever arrive"))
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

    /// The configuration in the notation of the file, each value with where it comes from.
    package func printed(origins: [String: ConfigurationOrigin] = [:]) -> String {
        var text = ""
        var group: String?
        for key in ConfigurationKey.all {
            let parts = key.name.split(separator: ".", maxSplits: 1).map(String.init)
            let isNested = parts.count == 2
            if isNested, group != parts[0] {
                text += "\(parts[0]):\n"
            }
            group = isNested ? parts[0] : nil
            let line = (isNested ? "  " + parts[1] : parts[0]) + ": " + key.show(self)
            let padding = String(repeating: " ", count: max(1, 44 - line.count))
            text += "\(line)\(padding)# \(origins[key.name] ?? .builtIn)\n"
        }
        return text
    }
}
