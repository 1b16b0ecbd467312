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
        }
    ]
}
