package import SQLStorage

/// The API keys in the database. Changes take effect in all processes within seconds.
package struct APIKeyTable: Sendable {
    private let database: any SQLDatabase

    package init(database: any SQLDatabase) { self.database = database }

    /// Adds a key and answers its text, which nobody can read again.
    package func create(
        _ key: APIKey, record: @escaping @Sendable (any SQLTransaction) throws -> Void = { _ in }
    ) async throws -> String {
        let text = APIKeyText(id: key.id)
        let digest = text.digest
        try await database.write { transaction in
            try transaction.execute(
                """
                INSERT INTO api_keys (id, digest, client, note, organization, scopes, networks, created_at, expires_at)
                VALUES (\(key.id), \(digest), \(key.client), \(key.note), \(key.organization), \(key.scopes.text),
                        \(key.networks.joined(separator: " ")), \(key.createdAt), \(key.expiresAt))
                """)
            try record(transaction)
        }
        return text.text
    }

    /// All keys, oldest first, the revoked ones too.
    package func all() async throws -> [APIKey] {
        try await database.read { transaction in
            try transaction.rows("SELECT \(raw: Self.columns) FROM api_keys k ORDER BY created_at, id", Self.key)
        }
    }

    /// Ends a key for good. `false` when there is none of this id that is not revoked yet.
    package func revoke(
        _ id: String, now: Int64, record: @escaping @Sendable (any SQLTransaction) throws -> Void = { _ in }
    ) async throws -> Bool {
        try await database.write { transaction in
            guard
                try transaction.execute(
                    "UPDATE api_keys SET revoked_at = \(now) WHERE id = \(id) AND revoked_at IS NULL") == 1
            else { return false }
            try record(transaction)
            return true
        }
    }

    /// What is needed to check a key that came in.
    struct Found: Sendable {
        var key: APIKey
        var digest: [UInt8]
        /// The client that it belongs to, when there is one.
        var client: Client?
    }

    func find(_ id: String) async throws -> Found? {
        try await database.read { transaction in
            guard
                let found = try transaction.first(
                    "SELECT \(raw: Self.columns), digest FROM api_keys k WHERE id = \(id)",
                    { row in (key: Self.key(row), digest: row.bytes(10)) })
            else { return nil }
            let client = try found.key.client.flatMap { try ClientTable.client($0, in: transaction) }
            return Found(key: found.key, digest: found.digest, client: client)
        }
    }

    /// Notes that a key was used. Nobody waits for it.
    func noteUse(_ id: String, now: Int64) {
        database.write { transaction in
            try transaction.execute("UPDATE api_keys SET last_used_at = \(now) WHERE id = \(id)")
        } completion: { _ in
        }
    }

    private static let columns: StaticString =
        "id, client, note, organization, scopes, networks, created_at, expires_at, revoked_at, last_used_at"

    private static func key(_ row: any SQLRow) -> APIKey {
        APIKey(
            id: row.text(0), client: row.optionalText(1), note: row.optionalText(2),
            organization: row.optionalText(3), scopes: Set(scopes: row.text(4)),
            networks: row.text(5).split(separator: " ").map(String.init), createdAt: row.int(6),
            expiresAt: row.optionalInt(7), revokedAt: row.optionalInt(8), lastUsedAt: row.optionalInt(9))
    }
}
