package import SQLStorage

/// The tables of clients, API keys and signing keys.
package enum AccessSchema {
    /// In order; a migration that landed is never edited.
    package static let migrations = [
        Migration("access 0001 credentials") { dialect in
            [
                """
                CREATE TABLE clients (
                    id \(raw: dialect.text) NOT NULL PRIMARY KEY, organization TEXT, scopes TEXT NOT NULL,
                    roles TEXT NOT NULL, enabled \(raw: dialect.integer) NOT NULL, secret TEXT NOT NULL,
                    previous_secret TEXT, previous_until \(raw: dialect.integer),
                    created_at \(raw: dialect.integer) NOT NULL, changed_at \(raw: dialect.integer) NOT NULL
                )
                """,
                """
                CREATE TABLE api_keys (
                    id \(raw: dialect.text) NOT NULL PRIMARY KEY, digest \(raw: dialect.bytes) NOT NULL,
                    client \(raw: dialect.text), note TEXT, organization TEXT, scopes TEXT NOT NULL,
                    networks TEXT NOT NULL, created_at \(raw: dialect.integer) NOT NULL,
                    expires_at \(raw: dialect.integer), revoked_at \(raw: dialect.integer),
                    last_used_at \(raw: dialect.integer)
                )
                """,
                """
                CREATE TABLE signing_keys (
                    id \(raw: dialect.text) NOT NULL PRIMARY KEY, private_key \(raw: dialect.bytes) NOT NULL,
                    signs_from \(raw: dialect.integer) NOT NULL, signs_until \(raw: dialect.integer) NOT NULL,
                    published_until \(raw: dialect.integer) NOT NULL
                )
                """,
            ]
        }
    ]
}
