import Access
import Audit
import HTTPTypes
import Testing

@testable import GantryServer

/// `/token` and what is around it (uploads.md 1, RFC 6749, SEC-15).
@Suite struct TokenRouteTests {
    private static func json(_ answer: ServerHarness.Answer) throws -> StrictJSON {
        try #require(StrictJSON(answer.bytes))
    }

    @Test func `a client gets a token by each of the three ways`() async throws {
        try await CredentialServer.run { (access) async throws in
            let basic = CredentialServer.basic(access.clientID, access.secret)
            let form = "grant_type=client_credentials"
            let answers = [
                try await access.post(form, basic),
                try await access.post(form + "&client_id=\(access.clientID)&client_secret=\(access.secret)"),
                try await access.server.send(.get, "/token", basic),
                try await access.server.send(.get, "/token/", basic),
            ]
            for answer in answers {
                #expect(answer.status == 200 && answer.headers[.cacheControl] == "no-store")
                let body = try Self.json(answer)
                #expect(body["token_type"] == .string("Bearer") && body["expires_in"] == .number(3600))
                #expect(body["scope"] == .string("dicomweb.store dicomweb.read"))
                let token = try #require(body["access_token"]?.string)
                let bearer: HTTPFields = [.authorization: "Bearer \(token)"]
                #expect(try await access.server.send(.get, "studies", bearer).status == 204)
                let test = try await Self.json(access.server.send(.get, "/test-token", bearer))
                #expect(test["active"] == .bool(true) && test["sub"] == .string("mr-1"))
                #expect(test["scope"] == .string("dicomweb.store dicomweb.read"))
                #expect(test["expires_at"]?.string?.hasSuffix("Z") == true)
            }
            #expect(try await access.server.send(.get, "/test-token").status == 401)
        }
    }

    @Test func `fewer scopes may be asked for, more not`() async throws {
        try await CredentialServer.run { (access) async throws in
            let basic = CredentialServer.basic(access.clientID, access.secret)
            let fewer = try await access.post("grant_type=client_credentials&scope=dicomweb.read", basic)
            #expect(try Self.json(fewer)["scope"] == .string("dicomweb.read"))
            let byGet = try await access.server.send(.get, "/token?scope=dicomweb.read", basic)
            #expect(try Self.json(byGet)["scope"] == .string("dicomweb.read"))
            for scope in ["admin", "dicomweb.read+admin", "nothing"] {
                let answer = try await access.post("grant_type=client_credentials&scope=\(scope)", basic)
                #expect(answer.status == 400, "\(scope)")
                #expect(try Self.json(answer)["error"] == .string("invalid_scope"))
            }
        }
    }

    @Test(arguments: [
        ("grant_type=password", 400, "unsupported_grant_type"), ("", 400, "invalid_request"),
        ("grant_type=client_credentials&grant_type=client_credentials", 400, "invalid_request"),
        ("grant_type=client_credentials&client_secret=x", 400, "invalid_request"),
        ("grant_type=client_credentials&client_id=other", 400, "invalid_request"),
        ("grant_type=%zz", 400, "invalid_request"), ("grant_type=%ff", 400, "invalid_request"),
    ])
    func `a form that is wrong is told what is wrong`(form: String, status: Int, error: String) async throws {
        try await CredentialServer.run { (access) async throws in
            let answer = try await access.post(form, CredentialServer.basic(access.clientID, access.secret))
            #expect(answer.status == status)
            #expect(try Self.json(answer)["error"] == .string(error))
            #expect(answer.headers[.cacheControl] == "no-store")
        }
    }

    @Test func `a body that is no form, or too large, is refused`() async throws {
        try await CredentialServer.run { (access) async throws in
            let json = try await access.post("{}", [.contentType: "application/json"])
            #expect(json.status == 400)
            let large = try await access.post("grant_type=" + String(repeating: "a", count: 9000))
            #expect(large.status == 413)
            for method in [HTTPRequest.Method.put, .delete, .patch] {
                let answer = try await access.server.send(method, "/token")
                // What fits no line of the table needs a credential; these fit, and are not offered.
                #expect(answer.status == 405 && answer.headers[.allow] == "GET, POST", "\(method)")
            }
        }
    }

    @Test func `SEC-15 an unknown client, a wrong secret, a disabled client and none get one answer`() async throws {
        try await CredentialServer.run { (access) async throws in
            _ = try await access.verifier.clients.create(
                Client(id: "off", scopes: [], isEnabled: false, createdAt: Gantry.systemClock()))
            var bodies: Set<String> = []
            for headers in [
                CredentialServer.basic("mr-1", "wrong"), CredentialServer.basic("nobody", access.secret),
                CredentialServer.basic("off", "wrong"), [:], [.authorization: "Basic !"],
                [.authorization: "Basic bXI="],
                [.authorization: "Bearer x"],
            ] as [HTTPFields] {
                let answer = try await access.post("grant_type=client_credentials", headers)
                #expect(answer.status == 401, "\(headers)")
                #expect(answer.headers[.wwwAuthenticate]?.hasPrefix("Basic realm=") == true)
                bodies.insert(answer.body)
            }
            #expect(bodies.count == 1)
            #expect(
                try await Self.json(access.post("grant_type=client_credentials"))["error"]
                    == .string("invalid_client"))
        }
    }

    @Test func `SEC-13 guessing at a client's secret is slowed down`() async throws {
        try await CredentialServer.run { (access) async throws in
            let wrong = CredentialServer.basic("nobody", "wrong")
            for _ in 0..<10 { #expect(try await access.server.send(.get, "/token", wrong).status == 401) }
            let answer = try await access.server.send(.get, "/token", wrong)
            #expect(answer.status == 429 && answer.headers[.retryAfter] == "30")
            let good = CredentialServer.basic(access.clientID, access.secret)
            #expect(try await access.server.send(.get, "/token", good).status == 200)
        }
    }

    @Test func `a secret with characters that need escaping is read as it was meant`() throws {
        #expect(try FormFields.read("a=1%2b+2&b=%C3%A4&c&=d") == ["a": "1+ 2", "b": "ä", "c": "", "": "d"])
        #expect(Base64Text.decode("bXItMTp4") == "mr-1:x" && Base64Text.decode("bXI6+-") == nil)
    }

    @Test func `metadata say where tokens come from and how to check them`() async throws {
        var configuration = GantryConfiguration()
        configuration.server.publicURL = "https://gw.example/pacs"
        try await CredentialServer.run(configuration) { (access) async throws in
            let server = try await Self.json(access.server.send(.get, "/.well-known/oauth-authorization-server"))
            #expect(server["issuer"] == .string("https://gw.example/pacs"))
            #expect(server["token_endpoint"] == .string("https://gw.example/pacs/token"))
            #expect(server["jwks_uri"] == .string("https://gw.example/pacs/.well-known/jwks.json"))
            #expect(server["grant_types_supported"] == .array([.string("client_credentials")]))
            let resource = try Self.json(
                try await access.server.send(.get, "/.well-known/oauth-protected-resource"))
            #expect(resource["authorization_servers"] == .array([.string("https://gw.example/pacs")]))
            let keys = try await access.server.send(.get, "/.well-known/jwks.json")
            #expect(keys.status == 200 && !keys.body.contains("\"d\""))
            let token = try await access.token().split(separator: ".")
            let claims = try #require(Base64URL.decode(token[1].utf8).flatMap { StrictJSON($0) })
            #expect(claims["iss"] == .string("https://gw.example/pacs"))
            #expect(try await access.server.send(.get, "/.well-known/other").status == 404)
            #expect(try await access.server.send(.post, "/.well-known/jwks.json").status == 401)
        }
    }

    @Test func `where nobody is asked, everybody may do everything`() async throws {
        try await ServerHarness.run { (server) async throws in
            let answer = try await Self.json(server.send(.get, "/test-token"))
            #expect(answer["active"] == .bool(true) && answer["sub"] == nil)
            #expect(try await server.send(.get, "/token").status == 401)
        }
    }
}
