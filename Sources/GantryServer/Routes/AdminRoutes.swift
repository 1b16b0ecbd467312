import Access
import Audit
import HTTPTypes
import Hummingbird
import NIOCore
import SQLStorage

/// `/admin/clients` and `/admin/keys`: who may use the server. Secrets are in the answer that makes them and nowhere else.
struct AdminRoutes: Sendable {
    let verifier: CredentialVerifier?
    let clock: @Sendable () -> Int64

    private static let longestBody = 64 << 10

    /// - Parameter path: behind `/admin/`, without a slash at its end.
    func answer(_ path: Substring, _ request: Request, context: GantryContext) async throws -> Response {
        guard let verifier else { throw Problem(.notFound, "The path leads nowhere.") }
        let segments = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        switch (segments.first, segments.count) {
        case ("clients", 1):
            switch request.method {
            case .get, .head: return Self.list("clients", try await verifier.clients.all().map(\.jsonObject))
            case .post: return try await createClient(request, verifier.clients, context)
            default: throw Routes.methodNotAllowed([.get, .post])
            }
        case ("clients", 2):
            switch request.method {
            case .get, .head:
                guard let client = try await verifier.clients.client(segments[1]) else { throw Self.noClient }
                return Self.json(.ok, client.jsonObject)
            case .patch: return try await changeClient(segments[1], request, verifier.clients, context)
            default: throw Routes.methodNotAllowed([.get, .patch])
            }
        case ("clients", 3) where segments[2] == "rotate":
            guard request.method == .post else { throw Routes.methodNotAllowed([.post]) }
            return try await rotate(segments[1], request, verifier.clients, context)
        case ("keys", 1):
            switch request.method {
            case .get, .head: return Self.list("keys", try await verifier.apiKeys.all().map(\.jsonObject))
            case .post: return try await createKey(request, verifier, context)
            default: throw Routes.methodNotAllowed([.get, .post])
            }
        case ("keys", 2):
            guard request.method == .delete else { throw Routes.methodNotAllowed([.delete]) }
            let record = CredentialChange(
                "key revoked", segments[1], AuditEvent.Actor(context), context.requestID, clock())
            guard try await verifier.apiKeys.revoke(segments[1], now: clock(), record: record.write) else {
                throw Problem(.noSuchResource, "There is no such key, or it is revoked already.")
            }
            return Response(status: .noContent)
        default: throw Problem(.notFound, "The path leads nowhere.")
        }
    }

    private func createClient(
        _ request: Request, _ clients: ClientTable, _ context: GantryContext
    ) async throws -> Response {
        let body = try await body(request, context, members: ["client_id", "organization", "scopes", "roles"])
        guard let id = body["client_id"]?.string, Client.isID(id) else {
            throw Problem(.invalidBody, "client_id is 1 to 64 letters, digits, dots, hyphens and low lines.")
        }
        let client = Client(
            id: id, organization: try body.text("organization"), scopes: try body.scopes() ?? [],
            roles: Set(try body.texts("roles") ?? []), createdAt: clock())
        let record = CredentialChange("client created", id, AuditEvent.Actor(context), context.requestID, clock())
        let secret: String
        do {
            secret = try await clients.create(client, record: record.write)
        } catch let error as SQLError where error.code == .constraint(.unique) {
            throw Problem(.conflict, "There is a client of this id already.")
        }
        var answer = client.jsonObject
        answer.add("client_secret", secret)
        return Self.json(.created, answer)
    }

    private func changeClient(
        _ id: String, _ request: Request, _ clients: ClientTable, _ context: GantryContext
    ) async throws -> Response {
        let body = try await body(request, context, members: ["organization", "scopes", "roles", "enabled"])
        let organization = try body.text("organization")
        let scopes = try body.scopes()
        let roles = try body.texts("roles")
        var isEnabled: Bool?
        if let value = body["enabled"] {
            guard case .bool(let flag) = value else { throw Problem(.invalidBody, "enabled is true or false.") }
            isEnabled = flag
        }
        let record = CredentialChange("client changed", id, AuditEvent.Actor(context), context.requestID, clock())
        let client = try await clients.change(id, now: clock(), record: record.write) { [isEnabled] client in
            if body["organization"] != nil { client.organization = organization }
            if let scopes { client.scopes = scopes }
            if let roles { client.roles = Set(roles) }
            if let isEnabled { client.isEnabled = isEnabled }
        }
        guard let client else { throw Self.noClient }
        return Self.json(.ok, client.jsonObject)
    }

    private func rotate(
        _ id: String, _ request: Request, _ clients: ClientTable, _ context: GantryContext
    ) async throws -> Response {
        let body = try await body(request, context, members: ["overlap"])
        let overlap = try body.seconds("overlap") ?? 0
        let record = CredentialChange(
            "client secret rotated", id, AuditEvent.Actor(context), context.requestID, clock())
        guard
            let secret = try await clients.rotate(id, overlap: overlap * 1000, now: clock(), record: record.write)
        else { throw Self.noClient }
        var answer = JSONObjectText()
        answer.add("client_id", id)
        answer.add("client_secret", secret)
        return Self.json(.ok, answer)
    }

    private func createKey(
        _ request: Request, _ verifier: CredentialVerifier, _ context: GantryContext
    ) async throws -> Response {
        let body = try await body(
            request, context, members: ["client", "note", "organization", "scopes", "networks", "expires_in"])
        var key = APIKey(scopes: try body.scopes() ?? [], createdAt: clock())
        key.note = try body.text("note")
        key.organization = try body.text("organization")
        key.networks = try body.texts("networks") ?? []
        guard key.networks.allSatisfy(AddressRanges.isRange) else {
            throw Problem(.invalidBody, "networks are addresses and networks, as 10.0.0.0/8.")
        }
        key.expiresAt = try body.seconds("expires_in").map { clock() + $0 * 1000 }
        if let id = try body.text("client") {
            guard let client = try await verifier.clients.client(id) else {
                throw Problem(.invalidBody, "There is no client of this id.")
            }
            guard key.scopes.isSubset(of: client.scopes) else {
                throw Problem(.invalidBody, "A client's key may do what the client may: \(client.scopes.text).")
            }
            key.client = id
        }
        let record = CredentialChange("key created", key.id, AuditEvent.Actor(context), context.requestID, clock())
        let text = try await verifier.apiKeys.create(key, record: record.write)
        var answer = key.jsonObject
        answer.add("key", text)
        return Self.json(.created, answer)
    }

    /// The JSON object of the body; `{}` when there is none. Members that mean nothing here are refused.
    private func body(
        _ request: Request, _ context: GantryContext, members known: Set<String>
    ) async throws -> JSONBody {
        try await context.askForBody(of: request.head)
        var bytes: [UInt8] = []
        for try await chunk in LimitedBody(request.body, limit: Self.longestBody, coding: .identity) {
            bytes.append(contentsOf: chunk.readableBytesView)
        }
        if bytes.isEmpty { return JSONBody(members: [:]) }
        let type = request.headers[.contentType]?.split(separator: ";").first.map { $0.trimmingSpaces.lowercased() }
        guard type == "application/json" else {
            throw Problem(.unsupportedMediaType, "The body is application/json.")
        }
        guard case .object(let members)? = StrictJSON(bytes) else {
            throw Problem(.invalidBody, "The body is not a JSON object.")
        }
        guard known.isSuperset(of: members.keys) else {
            throw Problem(.invalidBody, "The body's members are \(known.sorted().joined(separator: ", ")).")
        }
        return JSONBody(members: members)
    }

    private static let noClient = Problem(.noSuchResource, "There is no client of this id.")

    private static func list(_ name: String, _ objects: [JSONObjectText]) -> Response {
        var answer = JSONObjectText()
        answer.add(name, objects: objects)
        return json(.ok, answer)
    }

    private static func json(_ status: HTTPResponse.Status, _ object: JSONObjectText) -> Response {
        OperationsRoutes.json(status, Array((object.text + "\n").utf8))
    }
}

/// The members of a body, each read as what it has to be.
private struct JSONBody: Sendable {
    let members: [String: StrictJSON]

    subscript(_ name: String) -> StrictJSON? { members[name] }

    func text(_ name: String) throws -> String? {
        guard let value = members[name], value != .null else { return nil }
        guard let text = value.string, !text.isEmpty, text.utf8.count <= 256 else {
            throw Problem(.invalidBody, "\(name) is a text of at most 256 bytes.")
        }
        return text
    }

    func texts(_ name: String) throws -> [String]? {
        guard let value = members[name] else { return nil }
        guard case .array = value, let texts = value.strings, texts.count <= 64,
            texts.allSatisfy({ !$0.isEmpty && !$0.contains(" ") && $0.utf8.count <= 128 })
        else { throw Problem(.invalidBody, "\(name) is a list of words.") }
        return texts
    }

    func scopes() throws -> Set<Scope>? {
        guard let texts = try texts("scopes") else { return nil }
        let scopes = Set(texts.map { Scope(rawValue: $0) })
        guard scopes.isSubset(of: Scope.all) else {
            throw Problem(.invalidBody, "scopes are of: \(Set(Scope.all).text).")
        }
        return scopes
    }

    /// At most ten years.
    func seconds(_ name: String) throws -> Int64? {
        guard let value = members[name], value != .null else { return nil }
        guard let number = value.number, number >= 0, number <= 315_360_000, number == number.rounded() else {
            throw Problem(.invalidBody, "\(name) is a number of seconds, at most ten years.")
        }
        return Int64(number)
    }
}
