import Access
import HTTPTypes
import Hummingbird

/// Finds out who asks and whether they may, before any route sees the request (security.md C.2, RFC 6750).
struct Authentication: Sendable {
    /// `nil` when nobody is ever asked.
    let verifier: CredentialVerifier?
    let trail: AccessTrail
    let publicAddress: PublicAddress

    static let realm = "gantry"

    /// Who asks, allowed to do what is asked. Throws the `Problem` that says why not.
    func principal(for request: Request, context: GantryContext) async throws -> Principal {
        try refuseSecretsInQuery(of: request, context)
        guard let verifier, try await verifier.isRequired() else { return .anonymous }
        let access = RouteScopes.access(request.method, request.uri.path)
        if access == .open { return .unidentified }
        guard let credential = try credential(of: request, context) else {
            trail.noteRefusal("no credential", context: context)
            throw Problem(
                .notIdentified, "The resource needs a credential.",
                headers: [.wwwAuthenticate: challenge(request, context)])
        }
        var principal: Principal
        do {
            principal = try await verifier.principal(for: credential, from: context.remoteAddress) {
                await context.certificateDigest
            }
        } catch let error as AccessError {
            trail.noteFailure(error, context: context)
            throw problem(for: error, request, context)
        }
        trail.noteUse(principal, context: context)
        guard case .scope(let scope) = access, !principal.allows(scope) else { return principal }
        trail.noteRefusal("insufficient scope", principal, context: context)
        throw Problem(
            .insufficientScope, "This needs the scope \(scope.rawValue).",
            headers: [
                .wwwAuthenticate:
                    #"Bearer realm="\#(Self.realm)", error="insufficient_scope", scope="\#(scope.rawValue)""#
            ])
    }

    /// What the request carries; `nil` for nothing.
    private func credential(of request: Request, _ context: GantryContext) throws -> Credential? {
        let fields = request.headers[values: .authorization]
        let keys = request.headers[values: .xAPIKey]
        guard fields.count + keys.count <= 1 else {
            trail.noteRefusal("several credentials", context: context)
            throw Problem(
                .invalidHeader, "The request carries several credentials.",
                headers: [.wwwAuthenticate: Self.malformed])
        }
        // Byte by byte: a token has hundreds of characters, and every request one.
        if let key = keys.first { return .apiKey(Self.trimmed(key.utf8)) }
        guard let field = fields.first?.utf8 else { return nil }
        let scheme = Substring(field.prefix { $0 != UInt8(ascii: " ") }).lowercased()
        let content = Self.trimmed(field.dropFirst(scheme.utf8.count))
        switch scheme {
        case "bearer", "apikey":
            let isOne = content.utf8.allSatisfy { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: ",") }
            guard isOne, !content.isEmpty else {
                trail.noteRefusal("malformed credential", context: context)
                throw Problem(
                    .invalidHeader, "The Authorization field has no single credential behind its scheme.",
                    headers: [.wwwAuthenticate: Self.malformed])
            }
            return scheme == "bearer" ? .token(content) : .apiKey(content)
        default: return nil
        }
    }

    /// Without spaces and tabs at its ends.
    private static func trimmed(_ text: some BidirectionalCollection<UInt8>) -> String {
        let isSpace: (UInt8) -> Bool = { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        let start = text.drop(while: isSpace)
        let end = start.lastIndex { !isSpace($0) }.map { start.index(after: $0) } ?? start.startIndex
        return String(decoding: start[start.startIndex..<end], as: UTF8.self)
    }

    /// 400 where a secret stands in the address: there it gets into logs and histories (RFC 9700 2.6).
    private func refuseSecretsInQuery(of request: Request, _ context: GantryContext) throws {
        guard let query = request.uri.query, !query.isEmpty else { return }
        for pair in query.utf8.split(separator: UInt8(ascii: "&")) {
            let name = pair.prefix { $0 != UInt8(ascii: "=") }
            guard (5...13).contains(name.count), Self.secretNames.contains(Substring(name).lowercased()) else {
                continue
            }
            trail.noteRefusal("credential in the query", context: context)
            throw Problem(
                .invalidQuery, "Credentials are not taken from the query; send them in a header field.",
                headers: [.wwwAuthenticate: Self.malformed])
        }
    }

    private static let secretNames: Set<String> = [
        "access_token", "token", "id_token", "bearer", "api_key", "apikey", "api-key", "x-api-key", "client_secret",
    ]

    private static let malformed = #"Bearer realm="\#(realm)", error="invalid_request""#

    /// Without an error code, for who may not have known (RFC 6750 3.1); with the place of our metadata (RFC 9728 5.1).
    private func challenge(_ request: Request, _ context: GantryContext) -> String {
        let base = publicAddress.url(for: request.head, peer: context.peerAddress)
        return
            #"Bearer realm="\#(Self.realm)", resource_metadata="\#(base)\#(DiscoveryRoutes.resourceMetadataPath)""#
    }

    private func problem(for error: AccessError, _ request: Request, _ context: GantryContext) -> Problem {
        switch error.code {
        case .malformed:
            Problem(
                .invalidHeader, "The credential is malformed.", headers: [.wwwAuthenticate: Self.malformed])
        case .invalid, .expired:
            // One text for all: what is wrong with a credential is for those who made it.
            Problem(
                .invalidCredential, "The credential is unknown, wrong, expired or revoked.",
                headers: [.wwwAuthenticate: #"Bearer realm="\#(Self.realm)", error="invalid_token""#])
        case .throttled(let seconds):
            Problem(
                .tooManyRequests, "Too many bad credentials came from this address.",
                headers: [.retryAfter: "\(seconds)"])
        case .unavailable: Problem(.unavailable, "The credential cannot be checked now.")
        }
    }
}

extension HTTPField.Name {
    static let xAPIKey = HTTPField.Name("X-API-Key")!
}
