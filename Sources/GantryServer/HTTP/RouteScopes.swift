package import Access
package import HTTPTypes

/// What a request needs to be let in.
package enum RouteAccess: Hashable, Sendable {
    /// Nothing: health, the way to a token, and what carries its proof in itself.
    case open
    /// Any credential, even one without scopes.
    case credential
    case scope(Scope)
}

/// One line of ``RouteScopes``.
package struct RouteRule: Sendable {
    /// Empty for all.
    package let methods: [HTTPRequest.Method]
    /// `{name}` stands for one segment, `**` at the end for any number of them.
    package let path: String
    package let access: RouteAccess
    private let segments: [String]

    init(_ methods: [HTTPRequest.Method], _ path: String, _ access: RouteAccess) {
        self.methods = methods
        self.path = path
        self.access = access
        segments = path.split(separator: "/").map(String.init)
    }

    fileprivate func matches(_ method: HTTPRequest.Method, _ asked: [Substring.UTF8View]) -> Bool {
        guard methods.isEmpty || methods.contains(method) else { return false }
        var position = 0
        for segment in segments {
            if segment == "**" { return true }
            guard position < asked.count,
                segment.utf8.first == UInt8(ascii: "{") || segment.utf8.elementsEqual(asked[position])
            else { return false }
            position += 1
        }
        return position == asked.count
    }
}

/// Which scope each route needs: the one table, for the server and for its OpenAPI document. The first line that fits
/// counts; what fits none needs a credential.
package enum RouteScopes {
    private static let read: [HTTPRequest.Method] = [.get, .head]

    /// In the order in which they are tried.
    package static let all: [RouteRule] =
        [
            RouteRule(read, "/", .open),
            RouteRule(read, "/page/**", .open),
            RouteRule(read, "/health/**", .open),
            RouteRule(read, "/.well-known/**", .open),
            RouteRule([], "/token", .open),
            RouteRule([], "/test-token", .credential),
            RouteRule([], "/metrics", .credential),
            RouteRule([], "/changes", .scope(.dicomwebRead)),
            RouteRule([], "/admin/**", .scope(.admin)),
            RouteRule([], "/audit", .scope(.auditRead)),
            RouteRule([], "/new-order", .scope(.ordersWrite)),
            RouteRule([], "/add-metadata", .scope(.ordersWrite)),
            RouteRule([], "/cancel-order", .scope(.ordersWrite)),
            RouteRule([.put], "/results", .scope(.ordersWrite)),
            RouteRule([], "/results", .scope(.ordersRead)),
            RouteRule([], "/metadata", .scope(.ordersRead)),
            RouteRule([], "/status", .scope(.ordersRead)),
            RouteRule([], "/list-orders", .scope(.ordersRead)),
            RouteRule([], "/orders/**", .scope(.ordersRead)),
            // The URL is the proof; of what a bucket tells nothing is believed that is not found there.
            RouteRule([.put], "/uploads/**", .open),
            RouteRule([.post], "/upload/notifications", .open),
            RouteRule([], "/upload/**", .scope(.upload)),
            RouteRule([], "/uploads/**", .scope(.upload)),
        ] + Routes.serviceRoots.flatMap(dicomweb)

    /// The DICOMweb service under one of its roots.
    private static func dicomweb(_ root: String) -> [RouteRule] {
        [
            RouteRule([.post], root + "/**", .scope(.dicomwebStore)),
            RouteRule([.delete], root + "/**", .scope(.dicomwebDelete)),
            RouteRule([], root + "/**", .scope(.dicomwebRead)),
        ]
    }

    /// By the first segment of the path.
    private static let byFirstSegment = Dictionary(grouping: all) { rule in
        rule.path.split(separator: "/").first.map(String.init) ?? ""
    }

    /// What a request needs. A slash at the end of its path makes no difference.
    package static func access(_ method: HTTPRequest.Method, _ path: String) -> RouteAccess {
        var path = path[...]
        if path.utf8.count > 1, path.utf8.last == UInt8(ascii: "/") { path = path.dropLast() }
        guard path.utf8.first == UInt8(ascii: "/") else { return .credential }
        let below = path.utf8.dropFirst()
        let asked =
            below.isEmpty ? [] : below.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        let first = asked.first.map { String(Substring($0)) } ?? ""
        return byFirstSegment[first]?.first { $0.matches(method, asked) }?.access ?? .credential
    }
}
