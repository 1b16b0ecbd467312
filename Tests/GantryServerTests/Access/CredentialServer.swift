import Access
import GantryTesting
import HTTPTypes
import Testing

@testable import GantryServer

/// A server that asks who somebody is, and a client and keys that it knows.
struct CredentialServer: Sendable {
    let server: ServerHarness
    let verifier: CredentialVerifier
    let clientID = "mr-1"
    let secret: String

    static func run(
        scopes: Set<Scope> = [.dicomwebRead, .dicomwebStore],
        _ configuration: GantryConfiguration = GantryConfiguration(),
        _ body: @Sendable (CredentialServer) async throws -> Void
    ) async throws {
        try await ServerHarness.run(configuration, asksForCredentials: true) { (server) async throws in
            let verifier = try #require(server.verifier)
            let secret = try await verifier.clients.create(
                Client(id: "mr-1", organization: "radiology", scopes: scopes, createdAt: Gantry.systemClock()))
            try await body(CredentialServer(server: server, verifier: verifier, secret: secret))
        }
    }

    /// An API key with these scopes.
    func key(_ scopes: Set<Scope>) async throws -> String {
        try await verifier.apiKeys.create(APIKey(scopes: scopes, createdAt: Gantry.systemClock()))
    }

    /// A token of the client.
    func token(_ scopes: Set<Scope>? = nil) async throws -> String {
        let client = try #require(try await verifier.clients.client(clientID))
        return try await verifier.tokenIssuer.issue(to: client, scopes: scopes ?? client.scopes).text
    }

    /// Asks for a token with a form.
    func post(_ form: String, _ headers: HTTPFields = [:]) async throws -> ServerHarness.Answer {
        var headers = headers
        if headers[.contentType] == nil { headers[.contentType] = "application/x-www-form-urlencoded" }
        return try await server.send(.post, "/token", headers, body: Array(form.utf8))
    }

    /// Basic for the token endpoint.
    static func basic(_ id: String, _ secret: String) -> HTTPFields {
        let text = Base64URL.encode("\(id):\(secret)".utf8).replacing("-", with: "+").replacing("_", with: "/")
        return [.authorization: "Basic \(text)\(String(repeating: "=", count: (4 - text.count % 4) % 4))"]
    }
}
