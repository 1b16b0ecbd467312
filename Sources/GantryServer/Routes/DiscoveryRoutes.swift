import Access
import Hummingbird

/// `/.well-known/…`: where tokens come from and how to check them (RFC 8414, RFC 9728, RFC 7517).
struct DiscoveryRoutes: Sendable {
    static let keySetPath = "/.well-known/jwks.json"
    static let serverMetadataPath = "/.well-known/oauth-authorization-server"
    static let resourceMetadataPath = "/.well-known/oauth-protected-resource"

    let verifier: CredentialVerifier?
    let issuer: String
    /// Issuers of others that are trusted too.
    let trustedIssuers: [String]

    /// - Parameter base: the address of this server as the client knows it.
    func answer(_ path: String, _ request: Request, at base: String) async throws -> Response {
        guard request.method == .get || request.method == .head else { throw Routes.methodNotAllowed([.get, .head]) }
        var answer = JSONObjectText()
        switch path {
        case Self.keySetPath:
            guard let verifier else { throw Problem(.notFound, "This server gives out no tokens.") }
            var response = OperationsRoutes.json(.ok, Array(try await verifier.signingKeys.document().utf8))
            response.headers[.cacheControl] = "public, max-age=3600"
            return response
        case Self.serverMetadataPath:
            answer.add("issuer", issuer)
            answer.add("token_endpoint", base + "/token")
            answer.add("jwks_uri", base + Self.keySetPath)
            answer.add("scopes_supported", Scope.all.map(\.rawValue))
            answer.add("response_types_supported", [String]())
            answer.add("grant_types_supported", ["client_credentials"])
            answer.add("token_endpoint_auth_methods_supported", ["client_secret_basic", "client_secret_post"])
        case Self.resourceMetadataPath:
            answer.add("resource", base)
            answer.add("authorization_servers", [issuer] + trustedIssuers)
            answer.add("jwks_uri", base + Self.keySetPath)
            answer.add("scopes_supported", Scope.all.map(\.rawValue))
            answer.add("bearer_methods_supported", ["header"])
        default: throw Problem(.notFound, "The path leads nowhere.")
        }
        return OperationsRoutes.json(.ok, Array(answer.text.utf8))
    }
}
