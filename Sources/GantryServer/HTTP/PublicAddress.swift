package import HTTPTypes

/// The absolute URL in front of every resource that an answer names (dicomweb.md 1.1: public base).
///
/// Configured, else what a trusted proxy forwards, else what the client called us.
package struct PublicAddress: Sendable {
    private let configured: String?
    private let trustsProxy: @Sendable (String?) -> Bool

    /// - Parameters:
    ///   - configured: `server.publicURL`, without a slash at its end.
    ///   - trustsProxy: whether `X-Forwarded-*` of this peer address may be believed.
    package init(configured: String?, trustsProxy: @escaping @Sendable (String?) -> Bool) {
        self.configured = configured.map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 }
        self.trustsProxy = trustsProxy
    }

    /// `scheme://host[:port][/prefix]` for this request; without a slash at its end.
    package func url(for head: HTTPRequest, peer: String?) -> String {
        if let configured { return configured }
        let fields = head.headerFields
        // We know it of our own connection; before a proxy it may be another.
        var scheme = head.scheme == "https" ? "https" : "http"
        var host = head.authority ?? fields[.host] ?? "localhost"
        var prefix = ""
        if trustsProxy(peer) {
            let forwarded = Self.forwarded(fields[.forwarded])
            if let value = forwarded["proto"] ?? Self.first(fields[.xForwardedProto]),
                value == "http" || value == "https"
            {
                scheme = value
            }
            if let value = forwarded["host"] ?? Self.first(fields[.xForwardedHost]) { host = value }
            if let value = Self.first(fields[.xForwardedPrefix]), value.hasPrefix("/") {
                prefix = value.hasSuffix("/") ? String(value.dropLast()) : value
            }
        }
        return Self.isHost(host) && Self.isPath(prefix) ? "\(scheme)://\(host)\(prefix)" : "\(scheme)://localhost"
    }

    private static func first(_ value: String?) -> String? {
        guard let value, let first = value.split(separator: ",").first else { return nil }
        return first.trimmingSpaces
    }

    /// The parameters of the first element of a Forwarded field: what the proxy next to the client saw (RFC 7239 4).
    private static func forwarded(_ value: String?) -> [String: String] {
        guard let element = first(value) else { return [:] }
        var parameters: [String: String] = [:]
        for pair in element.split(separator: ";") {
            let parts = pair.split(separator: "=", maxSplits: 1).map(\.trimmingSpaces)
            guard parts.count == 2 else { continue }
            parameters[parts[0].lowercased()] = parts[1].filter { $0 != "\"" }
        }
        return parameters
    }

    /// Only what can stand in a URL's authority: these texts come from outside and go into JSON, XML and headers.
    private static func isHost(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 255
            && text.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x3A, 0x5B, 0x5D, 0x5F: true
                default: false
                }
            }
    }

    private static func isPath(_ text: String) -> Bool {
        text.utf8.count <= 255
            && text.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x2F, 0x5F, 0x7E: true
                default: false
                }
            }
    }
}

extension String {
    /// Without spaces and tabs at its ends.
    var trimmingSpaces: String { self[...].trimmingSpaces }
}

extension Substring {
    /// Without spaces and tabs at its ends.
    var trimmingSpaces: String {
        let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        return String(drop(while: isSpace).reversed().drop(while: isSpace).reversed())
    }
}

extension HTTPField.Name {
    static let host = HTTPField.Name("Host")!
    static let forwarded = HTTPField.Name("Forwarded")!
    static let xForwardedProto = HTTPField.Name("X-Forwarded-Proto")!
    static let xForwardedHost = HTTPField.Name("X-Forwarded-Host")!
    static let xForwardedPrefix = HTTPField.Name("X-Forwarded-Prefix")!
    static let acceptPost = HTTPField.Name("Accept-Post")!
    static let warning = HTTPField.Name("Warning")!
    static let prefer = HTTPField.Name("Prefer")!
}
