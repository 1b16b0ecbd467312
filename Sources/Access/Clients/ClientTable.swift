package import SQLStorage

/// The clients in the database. Changes take effect in all processes within seconds.
package struct ClientTable: Sendable {
    private let database: any SQLDatabase
    private let hashing: SecretHashing

    package init(database: any SQLDatabase, hashing: SecretHashing = SecretHashing()) {
        self.database = database
        self.hashing = hashing
    }

    /// A new secret: 256 random bits.
    private static func makeSecret() -> String { Base64URL.encode(RandomBytes.make(32)) }

    /// Adds a client and answers its secret, which nobody can read again.
    /// - Parameter record: writes what else belongs to the change, in its transaction.
    /// Throws ``SQLError`` with the code `constraint(.unique)` when there is one of this id.
    package func create(
        _ client: Client, record: @escaping @Sendable (any SQLTransaction) throws -> Void = { _ in }
    ) async throws -> String {
        let secret = Self.makeSecret()
        let hash = try await hashing.hash(secret)
        try await database.write { transaction in
            try transaction.execute(
                """
                INSERT INTO clients (id, organization, scopes, roles, enabled, secret, created_at, changed_at)
                VALUES (\(client.id), \(client.organization), \(client.scopes.text), \(client.roles.text),
                        \(client.isEnabled), \(hash.text), \(client.createdAt), \(client.changedAt))
                """)
            try record(transaction)
        }
        return secret
    }

    /// All clients by their id.
    package func all() async throws -> [Client] {
        try await database.read { transaction in
            try transaction.rows("SELECT \(raw: Self.columns) FROM clients ORDER BY id", Self.client)
        }
    }

    /// The client of this id.
    package func client(_ id: String) async throws -> Client? {
        try await database.read { try Self.client(id, in: $0) }
    }

    static func client(_ id: String, in transaction: any SQLTransaction) throws -> Client? {
        try transaction.first("SELECT \(raw: columns) FROM clients WHERE id = \(id)", client)
    }

    /// Changes what a client may do; its id and secret stay. `nil` when there is none of this id.
    package func change(
        _ id: String, now: Int64, record: @escaping @Sendable (any SQLTransaction) throws -> Void = { _ in },
        _ change: @escaping @Sendable (inout Client) -> Void
    ) async throws -> Client? {
        try await database.write { transaction in
            if let lock = transaction.dialect.lock("clients") { try transaction.execute(lock) }
            guard var client = try Self.client(id, in: transaction) else { return nil }
            change(&client)
            client.changedAt = now
            try transaction.execute(
                """
                UPDATE clients SET organization = \(client.organization), scopes = \(client.scopes.text),
                roles = \(client.roles.text), enabled = \(client.isEnabled), changed_at = \(now) WHERE id = \(id)
                """)
            try record(transaction)
            return client
        }
    }

    /// Gives a client a new secret and answers it; `nil` when there is none of this id.
    /// - Parameter overlap: milliseconds for which the old secret is taken too.
    package func rotate(
        _ id: String, overlap: Int64, now: Int64,
        record: @escaping @Sendable (any SQLTransaction) throws -> Void = { _ in }
    ) async throws -> String? {
        let secret = Self.makeSecret()
        let hash = try await hashing.hash(secret)
        let until = now + max(0, overlap)
        let isThere = try await database.write { transaction in
            guard
                try transaction.execute(
                    """
                    UPDATE clients SET previous_secret = secret, previous_until = \(until), secret = \(hash.text),
                    changed_at = \(now) WHERE id = \(id)
                    """) == 1
            else { return false }
            try record(transaction)
            return true
        }
        return isThere ? secret : nil
    }

    /// A client with the hashes of the secrets that are taken now, newest first.
    func withSecrets(_ id: String, now: Int64) async throws -> (client: Client, secrets: [SecretHash])? {
        try await database.read { transaction in
            try transaction.first(
                """
                SELECT \(raw: Self.columns), secret, previous_secret, previous_until FROM clients WHERE id = \(id)
                """
            ) { row in
                var secrets = [SecretHash(text: row.text(7))]
                if let previous = row.optionalText(8), row.int(9) > now { secrets.append(SecretHash(text: previous)) }
                return (Self.client(row), secrets)
            }
        }
    }

    private static let columns: StaticString =
        "id, organization, scopes, roles, enabled, created_at, changed_at"

    private static func client(_ row: any SQLRow) -> Client {
        Client(
            id: row.text(0), organization: row.optionalText(1), scopes: Set(scopes: row.text(2)),
            roles: Set(row.text(3).split(separator: " ").map(String.init)), isEnabled: row.int(4) != 0,
            createdAt: row.int(5), changedAt: row.int(6))
    }
}

extension Set<Scope> {
    /// Scopes as a token has them: words with spaces between them (RFC 6749 3.3).
    package init(scopes text: String) {
        self = Set(text.split(separator: " ").map { Scope(rawValue: String($0)) })
    }

    /// The scopes with spaces between them, the known ones in their order, then the others.
    package var text: String {
        let known = Scope.all.filter(contains)
        return (known + subtracting(known).sorted { $0.rawValue < $1.rawValue }).map(\.rawValue)
            .joined(separator: " ")
    }
}

extension Set<String> {
    /// The words with spaces between them.
    var text: String { sorted().joined(separator: " ") }
}
