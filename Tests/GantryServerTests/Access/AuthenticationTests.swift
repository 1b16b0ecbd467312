import Access
import Audit
import GantryTesting
import HTTPTypes
import Testing

@testable import GantryServer

/// Who gets in, and what others are told (security.md C.2, SEC-01 to SEC-03, SEC-10, SEC-13).
@Suite struct AuthenticationTests {
    private typealias Asked = (method: HTTPRequest.Method, path: String)

    /// Below each root of the DICOMweb service.
    private static let service: [Asked] = [
        (.post, "/studies"), (.post, "/studies/1.2"), (.get, "/studies"), (.get, "/studies/1.2"),
        (.get, "/studies/1.2/metadata"), (.get, "/studies/1.2/series/1.3/instances/1.4/frames/1"),
        (.get, "/studies/1.2/thumbnail"), (.get, "/wado?requestType=WADO"), (.options, "/"), (.head, "/studies"),
        (.delete, "/studies/1.2"), (.post, "/flow/studies"), (.put, "/studies"), (.get, ""),
    ]
    private static let others: [Asked] = [
        (.get, "/metrics"), (.get, "/changes"), (.get, "/changes/"), (.get, "/admin/clients"), (.post, "/admin/keys"),
        (.get, "/admin"), (.get, "/test-token"), (.get, "/test-token/"), (.get, "/nothing"), (.post, "/"),
        (.get, "//health/live"), (.get, "/healthy"), (.post, "/health/live"), (.get, "/pages"),
        (.get, "/DICOMweb/studies"), (.get, "/dicomweb%2Fstudies"), (.get, "/token/x"), (.get, "/x/../dicomweb"),
    ]

    /// One path of each route that there is, and some that lead nowhere.
    private static var closed: [Asked] {
        var all = others
        for root in Routes.serviceRoots {
            for (method, path) in service { all.append((method, root + path)) }
        }
        return all
    }

    @Test func `SEC-01 without a credential every route answers 401 and tells nothing`() async throws {
        try await CredentialServer.run { (access) async throws in
            for (method, path) in Self.closed {
                let answer = try await access.server.send(method, path)
                #expect(answer.status == 401, "\(method) \(path)")
                let challenge = try #require(answer.headers[.wwwAuthenticate])
                #expect(challenge.hasPrefix("Bearer realm=") && !challenge.contains("error="), "\(method) \(path)")
                #expect(challenge.contains("/.well-known/oauth-protected-resource"))
                guard method != .head else { continue }
                #expect(answer.problem?.type == "urn:gantry:problem:not-identified")
                #expect(answer.problem?.detail == "The resource needs a credential.")
                #expect(answer.headers[.cacheControl] == "no-store")
            }
        }
    }

    @Test(arguments: [
        "/health/live", "/health/ready", "/health/live/", "/", "/.well-known/jwks.json",
        "/.well-known/oauth-authorization-server", "/.well-known/oauth-protected-resource",
    ])
    func `health, the page and the way to a token are open`(path: String) async throws {
        try await CredentialServer.run { (access) async throws in
            #expect(try await access.server.send(.get, path).status == 200)
            // Even with a credential that is not taken: they do not look at it.
            #expect(try await access.server.send(.get, path, [.authorization: "Bearer x"]).status == 200)
        }
    }

    @Test(arguments: [
        "access_token=x", "token=x", "a=b&ACCESS_TOKEN=x", "api_key=x", "apikey", "x-api-key=x", "client_secret=x",
    ])
    func `SEC-02 a secret in the query is refused, with a good credential too`(query: String) async throws {
        try await CredentialServer.run { (access) async throws in
            let signedIn: HTTPFields = [.authorization: "Bearer \(try await access.token())"]
            for headers in [[:], signedIn] {
                let answer = try await access.server.send(.get, "studies?\(query)", headers)
                #expect(answer.status == 400 && answer.problem?.type == "urn:gantry:problem:invalid-query")
            }
            #expect(try await access.server.send(.get, "/token?\(query)").status == 400)
        }
    }

    @Test func `SEC-03 two credentials are refused, though both be good`() async throws {
        try await CredentialServer.run { (access) async throws in
            let token = "Bearer \(try await access.token())"
            let key = try await access.key([.dicomwebRead])
            var twice = HTTPFields()
            twice.append(HTTPField(name: .authorization, value: token))
            twice.append(HTTPField(name: .authorization, value: token))
            for headers in [
                [.authorization: token, .xAPIKey: key], [.authorization: "ApiKey \(key)", .xAPIKey: key], twice,
            ] {
                let answer = try await access.server.send(.get, "studies", headers)
                #expect(answer.status == 400)
                #expect(answer.headers[.wwwAuthenticate]?.contains("invalid_request") == true)
            }
        }
    }

    @Test func `a token and a key are taken in each of their forms`() async throws {
        try await CredentialServer.run { (access) async throws in
            let token = try await access.token()
            let key = try await access.key([.dicomwebRead])
            for headers in [
                [.authorization: "Bearer \(token)"], [.authorization: "bearer  \(token)"], [.xAPIKey: key],
                [.authorization: "ApiKey \(key)"], [.authorization: "apikey \(key)"],
            ] as [HTTPFields] {
                #expect(try await access.server.send(.get, "studies", headers).status == 204, "\(headers)")
            }
        }
    }

    @Test(arguments: [
        "Bearer x", "Bearer a.b.c", "Bearer gk_abcdefgh_x", "ApiKey x",
        "ApiKey gk_abcdefgh_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    ])
    func `a credential that is not taken is answered with invalid_token, and one text for all`(
        field: String
    )
        async throws
    {
        try await CredentialServer.run { (access) async throws in
            let answer = try await access.server.send(.get, "studies", [.authorization: field])
            #expect(answer.status == 401 && answer.problem?.type == "urn:gantry:problem:invalid-credential")
            #expect(answer.headers[.wwwAuthenticate] == #"Bearer realm="gantry", error="invalid_token""#)
            #expect(answer.problem?.detail == "The credential is unknown, wrong, expired or revoked.")
            #expect(!answer.body.contains("abcdefgh"))
        }
    }

    @Test(arguments: ["Basic bXItMTp4", "Digest a", "", " "])
    func `another scheme is no credential`(field: String) async throws {
        try await CredentialServer.run { (access) async throws in
            #expect(try await access.server.send(.get, "studies", [.authorization: field]).status == 401)
        }
    }

    @Test(arguments: ["Bearer", "Bearer a b", "Bearer a,b", "ApiKey"])
    func `a credential that is malformed is answered with 400`(field: String) async throws {
        try await CredentialServer.run { (access) async throws in
            let answer = try await access.server.send(.get, "studies", [.authorization: field])
            #expect(answer.status == 400 && answer.problem?.type == "urn:gantry:problem:invalid-header")
        }
    }

    @Test func `SEC-10 without the scope the answer names it`() async throws {
        try await CredentialServer.run { (access) async throws in
            let needed: [(HTTPRequest.Method, String, Scope)] = [
                (.get, "studies", .dicomwebRead), (.head, "studies/1.2", .dicomwebRead), (.options, "", .dicomwebRead),
                (.post, "studies", .dicomwebStore), (.post, "studies/1.2", .dicomwebStore),
                (.delete, "studies/1.2", .dicomwebDelete), (.get, "/changes", .dicomwebRead),
                (.get, "/admin/clients", .admin), (.post, "/admin/keys", .admin),
            ]
            for (method, path, scope) in needed {
                let without = try await access.key(Set(Scope.all).subtracting([scope, .admin]))
                let answer = try await access.server.send(method, path, [.xAPIKey: without])
                #expect(answer.status == 403, "\(method) \(path)")
                #expect(
                    answer.headers[.wwwAuthenticate]
                        == #"Bearer realm="gantry", error="insufficient_scope", scope="\#(scope.rawValue)""#)
                if method != .head { #expect(answer.problem?.detail.contains(scope.rawValue) == true) }
                for scopes in [[scope], [.admin]] as [Set<Scope>] {
                    let with = try await access.key(scopes)
                    let status = try await access.server.send(method, path, [.xAPIKey: with]).status
                    #expect(status != 401 && status != 403, "\(method) \(path) \(scopes)")
                }
            }
            // Any credential reads the metrics.
            let none = try await access.key([])
            #expect(try await access.server.send(.get, "/metrics", [.xAPIKey: none]).status == 200)
            #expect(try await access.server.send(.get, "/nothing", [.xAPIKey: none]).status == 404)
        }
    }

    @Test func `SEC-13 who guesses is told when to come again, others are not kept out`() async throws {
        try await CredentialServer.run { (access) async throws in
            let good = try await access.token()
            for _ in 0..<10 {
                #expect(try await access.server.send(.get, "studies", [.authorization: "Bearer a.b.c"]).status == 401)
            }
            let answer = try await access.server.send(.get, "studies", [.authorization: "Bearer a.b.c"])
            #expect(answer.status == 429 && answer.headers[.retryAfter] == "30")
            #expect(answer.problem?.type == "urn:gantry:problem:too-many-requests")
            #expect(try await access.server.send(.get, "studies", [.authorization: "Bearer \(good)"]).status == 204)
        }
    }

    @Test func `errors carry the fields that let a page of an allowed origin read them`() async throws {
        var configuration = GantryConfiguration()
        configuration.cors.origins = ["https://viewer.example"]
        try await CredentialServer.run(configuration) { (access) async throws in
            let origin = "https://viewer.example"
            for headers in [[:], [.authorization: "Bearer x"], [.xAPIKey: try await access.key([])]] as [HTTPFields] {
                var headers = headers
                headers[.origin] = origin
                let answer = try await access.server.send(.get, "studies", headers)
                #expect(answer.status == 401 || answer.status == 403)
                #expect(answer.headers[.accessControlAllowOrigin] == origin)
                #expect(answer.headers[.accessControlExposeHeaders]?.contains("WWW-Authenticate") == true)
            }
            // A preflight has no credential and needs none.
            let preflight = try await access.server.send(
                .options, "studies", [.origin: origin, .accessControlRequestMethod: "GET"])
            #expect(preflight.status == 204 && preflight.headers[.accessControlAllowOrigin] == origin)
        }
    }

    @Test func `with no client, key or issuer nobody is asked, until there is one`() async throws {
        try await ServerHarness.run(asksForCredentials: true) { (server) async throws in
            #expect(try await server.send(.get, "studies").status == 204)
            let verifier = try #require(server.verifier)
            _ = try await verifier.apiKeys.create(APIKey(scopes: [], createdAt: Gantry.systemClock()))
            let deadline = ContinuousClock.now + .seconds(10)
            var status = 204
            while status != 401, ContinuousClock.now < deadline {
                await Task.yield()
                status = try await server.send(.get, "studies").status
            }
            #expect(status == 401)
        }
    }

    @Test func `stores and reads are told on the audit trail by who did them`() async throws {
        let queue = ReadQueue(limit: 100)
        let trail = ReadTrail(queue: queue, clock: { 1000 })
        try await ServerHarness.run(trail: trail, asksForCredentials: true) { (server) async throws in
            let verifier = try #require(server.verifier)
            let key = APIKey(organization: "north", scopes: [.dicomwebRead, .dicomwebStore], createdAt: 0)
            let text = try await verifier.apiKeys.create(key)
            let stored = try await server.send(
                .post, "studies", [.contentType: "application/dicom", .xAPIKey: text], body: TestInstance().part10())
            #expect(stored.status == 200)
            for _ in 0..<3 { #expect(try await server.send(.get, "studies", [.xAPIKey: text]).status == 200) }
            #expect(try await server.send(.delete, "studies/1.2", [.xAPIKey: text]).status == 403)
            #expect(try await server.send(.get, "studies").status == 401)
            #expect(try await server.send(.get, "studies", [.authorization: "Bearer a.b.c"]).status == 401)
            let bad = "gk_\(key.id)_\(String(repeating: "A", count: 43))"
            #expect(try await server.send(.get, "studies", [.xAPIKey: bad]).status == 401)

            let writer = TrailWriter(
                queue, server.access, database: server.database, metrics: server.registry, logger: server.logger,
                clock: { 1000 })
            #expect(await writer.write([]).isEmpty)
            let events = try await AuditTable(database: server.database).records(AuditQuery()).map(\.event)
            let who = AuditEvent.Actor(client: "gk_\(key.id)", credentialID: key.id, organization: "north")
            #expect(
                events.filter { $0.actor == who }.map(\.kind.rawValue).sorted() == [
                    "credential-use", "instances-transferred", "order-record", "query", "request-refused",
                ])
            let refused = events.filter { $0.outcome == .minorFailure }
            #expect(refused.count == 4)
            #expect(refused.contains { $0.kind == .requestRefused && $0.outcomeText == "no credential" })
            #expect(refused.contains { $0.kind == .requestRefused && $0.outcomeText == "insufficient scope" })
            #expect(refused.contains { $0.kind == .credentialUse && $0.actor.credentialID == key.id })
            let secret = text.split(separator: "_", maxSplits: 2)[2]
            for event in events { #expect(!String(decoding: event.canonicalJSON, as: UTF8.self).contains(secret)) }
            #expect(!server.logs.lines.contains { $0.contains(secret) })
        }
    }

    @Test func `behind a proxy of ours the address is the one that it saw`() async throws {
        var configuration = GantryConfiguration()
        configuration.server.trustedProxies = ["0.0.0.0/0"]
        // In a test without sockets there is no peer, and who is no proxy is not believed.
        try await CredentialServer.run(configuration) { (access) async throws in
            let key = try await access.verifier.apiKeys.create(
                APIKey(scopes: [.dicomwebRead], networks: ["10.0.0.0/8"], createdAt: Gantry.systemClock()))
            let answer = try await access.server.send(.get, "studies", [.xAPIKey: key, .xForwardedFor: "10.0.0.1"])
            #expect(answer.status == 401)
        }
    }
}
