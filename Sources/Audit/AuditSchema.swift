package import SQLStorage

/// The table of the audit trail.
package enum AuditSchema {
    /// In order; a migration that landed is never edited.
    package static let migrations = [
        Migration("audit 0001 records") { dialect in
            [
                """
                CREATE TABLE audit_records (
                    sequence \(raw: dialect.integer) NOT NULL PRIMARY KEY, time \(raw: dialect.integer) NOT NULL,
                    client TEXT, study TEXT, record \(raw: dialect.bytes) NOT NULL, hash \(raw: dialect.bytes) NOT NULL
                )
                """,
                "CREATE INDEX audit_records_study ON audit_records (study, sequence)",
            ]
        },
        Migration("audit 0002 checkpoints") { dialect in
            [
                """
                CREATE TABLE evidence_keys (
                    id \(raw: dialect.text) NOT NULL PRIMARY KEY, purpose TEXT NOT NULL,
                    private_key \(raw: dialect.bytes) NOT NULL, public_key \(raw: dialect.bytes) NOT NULL,
                    created_at \(raw: dialect.integer) NOT NULL
                )
                """,
                """
                CREATE TABLE audit_checkpoints (
                    sequence \(raw: dialect.integer) NOT NULL PRIMARY KEY, hash \(raw: dialect.bytes) NOT NULL,
                    time \(raw: dialect.integer) NOT NULL, key_id TEXT NOT NULL, signature \(raw: dialect.bytes) NOT NULL
                )
                """,
                "CREATE INDEX audit_records_time ON audit_records (time)",
            ]
        },
    ]
}
