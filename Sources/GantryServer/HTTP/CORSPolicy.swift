import HTTPTypes
import Hummingbird

/// Which web pages of other origins may use the service (Fetch standard, CORS protocol).
struct CORSPolicy: Sendable {
    /// Exact origins; `*` stands for all. Empty: none.
    let origins: [String]

    private static let methods = "GET, HEAD, POST, DELETE, OPTIONS"
    private static let requestFields =
        "accept, authorization, content-type, if-none-match, if-modified-since, range, prefer, x-api-key"
    private static let exposedFields =
        "Content-Type, Content-Location, Content-Range, Accept-Ranges, ETag, Location, Link, Retry-After, Warning, "
        + "WWW-Authenticate, X-Request-ID"

    /// The answer to a preflight; `nil` when the request is none (dicomweb.md 1.5: it never gets the capabilities).
    func preflight(_ request: Request) -> Response? {
        guard request.method == .options, let origin = request.headers[.origin],
            request.headers[.accessControlRequestMethod] != nil
        else { return nil }
        var response = Response(status: .noContent)
        guard allows(origin) else { return response }
        apply(to: &response, origin: origin)
        response.headers[.accessControlAllowMethods] = Self.methods
        response.headers[.accessControlAllowHeaders] = Self.requestFields
        response.headers[.accessControlMaxAge] = "7200"
        return response
    }

    /// Adds the fields that let a page of an allowed origin read the answer, error answers included.
    func apply(to response: inout Response, for request: Request) {
        // A cache must not give one origin what was answered to another, or to none.
        if !origins.isEmpty { response.headers.addVary("Origin") }
        guard let origin = request.headers[.origin], allows(origin) else { return }
        apply(to: &response, origin: origin)
    }

    private func apply(to response: inout Response, origin: String) {
        response.headers[.accessControlAllowOrigin] = origins.contains("*") ? "*" : origin
        response.headers[.accessControlExposeHeaders] = Self.exposedFields
        response.headers.addVary("Origin")
    }

    private func allows(_ origin: String) -> Bool { origins.contains("*") || origins.contains(origin) }
}

extension HTTPFields {
    /// Names one more request field that the answer depends on.
    mutating func addVary(_ name: String) {
        guard let present = self[.vary] else { return self[.vary] = name }
        if !present.lowercased().split(separator: ",").contains(where: { $0.trimmingSpaces == name.lowercased() }) {
            self[.vary] = "\(present), \(name)"
        }
    }
}
