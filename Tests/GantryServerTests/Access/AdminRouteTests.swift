import Access
import Audit
import HTTPTypes
import Testing

@testable import GantryServer

@Suite struct AdminRouteTests {
    private static func run(_ body: @Sendable (CredentialServer, Admin) async throws -> Void) async throws {
        try await CredentialServer.run { (access) async throws in
            try await body(access, Admin(server: access.server, key: try await access.key([.admin])))
        }
    }

    /// The status with which the client's secret is answered.
    private static func status(_ access: CredentialServer, _ secret: String) async throws -> Int {
        try await access.server.send(.get, "/token", CredentialServer.basic("ct-1", secret)).status
    }

    /// Sends JSON as somebody with the scope.
    struct Admin: Sendable {
        let server: ServerHarness
        let key: String

        func send(
            _ method: HTTPRequest.Method, _ path: String, _ body: String? = nil
        ) async throws -> (
            status: Int, json: StrictJSON?
        ) {
            let answer = try await server.send(
                method, path, [.xAPIKey: key, .contentType: "application/json"], body: body.map { Array($0.utf8) })
            return (answer.status, StrictJSON(answer.bytes))
        }
    }

    @Test func `a client is made, changed, given a new secret and shut out`() async throws {
        try await Self.run { (access, admin) async throws in
            let made = try await admin.send(
                .post, "/admin/clients",
                #"{"client_id":"ct-1","organization":"north","scopes":["dicomweb.read"],"roles":["org-admin"]}"#)
            #expect(made.status == 201)
            let secret = try #require(made.json?["client_secret"]?.string)
            let read = try await admin.send(.get, "/admin/clients/ct-1")
            #expect(read.json?["organization"] == .string("north") && read.json?["client_secret"] == nil)
            #expect(try await Self.status(access, secret) == 200)

            let changed = try await admin.send(.patch, "/admin/clients/ct-1", #"{"scopes":["upload"],"roles":[]}"#)
            #expect(changed.status == 200 && changed.json?["scopes"] == .array([.string("upload")]))
            #expect(changed.json?["organization"] == .string("north"))
            let rotated = try await admin.send(.post, "/admin/clients/ct-1/rotate")
            let new = try #require(rotated.json?["client_secret"]?.string)
            #expect(try await Self.status(access, new) == 200)
            #expect(try await Self.status(access, secret) == 401)
            #expect(try await admin.send(.patch, "/admin/clients/ct-1", #"{"enabled":false}"#).status == 200)
            #expect(try await Self.status(access, new) == 401)

            let list = try await admin.send(.get, "/admin/clients")
            guard case .array(let clients)? = list.json?["clients"] else { throw CancellationError() }
            #expect(clients.map { $0["client_id"]?.string } == ["ct-1", "mr-1"])
            let events = try await AuditTable(database: access.server.database).records(AuditQuery()).map(\.event)
            #expect(
                events.map { $0.details["change"] } == [
                    "client created", "client changed", "client secret rotated", "client changed",
                ])
            #expect(events.allSatisfy { $0.actor.credentialID != nil && $0.details["subject"] == "ct-1" })
        }
    }

    @Test func `a key is made, used, listed without its secret and revoked`() async throws {
        try await Self.run { (access, admin) async throws in
            let made = try await admin.send(
                .post, "/admin/keys",
                #"{"scopes":["dicomweb.read"],"client":"mr-1","note":"viewer","expires_in":3600}"#)
            #expect(made.status == 201 && made.json?["expires_at"]?.string != nil)
            let key = try #require(made.json?["key"]?.string)
            let id = try #require(made.json?["key_id"]?.string)
            #expect(try await access.server.send(.get, "studies", [.xAPIKey: key]).status == 204)
            let list = try await admin.send(.get, "/admin/keys")
            guard case .array(let keys)? = list.json?["keys"] else { throw CancellationError() }
            #expect(keys.contains { $0["key_id"] == .string(id) && $0["note"] == .string("viewer") })
            #expect(keys.allSatisfy { $0["key"] == nil })
            #expect(try await admin.send(.delete, "/admin/keys/\(id)").status == 204)
            #expect(try await admin.send(.delete, "/admin/keys/\(id)").status == 404)
        }
    }

    @Test(arguments: [
        ("/admin/clients", #"{"client_id":"a b"}"#, 400), ("/admin/clients", "{}", 400),
        ("/admin/clients", #"{"client_id":"a","scopes":["everything"]}"#, 400),
        ("/admin/clients", #"{"client_id":"a","scope":"upload"}"#, 400), ("/admin/clients", "[]", 400),
        ("/admin/clients", #"{"client_id":"mr-1"}"#, 409), ("/admin/clients/nobody/rotate", "{}", 404),
        ("/admin/clients/mr-1/rotate", #"{"overlap":-1}"#, 400),
        ("/admin/clients/mr-1/rotate", #"{"overlap":1.5}"#, 400),
        ("/admin/keys", #"{"client":"nobody"}"#, 400), ("/admin/keys", #"{"client":"mr-1","scopes":["admin"]}"#, 400),
        ("/admin/keys", #"{"networks":["everywhere"]}"#, 400), ("/admin/keys", #"{"expires_in":1e300}"#, 400),
        ("/admin/keys", #"{"note":7}"#, 400), ("/admin/other", "{}", 404),
    ])
    func `what cannot be done is refused with a reason`(path: String, body: String, status: Int) async throws {
        try await Self.run { (_, admin) async throws in
            let answer = try await admin.send(.post, path, body)
            #expect(answer.status == status)
            #expect(answer.json?["detail"]?.string?.isEmpty == false)
        }
    }
}
