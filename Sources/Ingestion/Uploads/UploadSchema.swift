package import SQLStorage

/// The tables of presigned uploads.
package enum UploadSchema {
    /// In order; a migration that landed is never edited.
    package static let migrations = [
        Migration("uploads 0001 uploads") { dialect in
            [
                """
                CREATE TABLE uploads (
                    key \(raw: dialect.text) NOT NULL PRIMARY KEY, state TEXT NOT NULL,
                    client TEXT, credential TEXT, organization TEXT, address TEXT, request TEXT NOT NULL,
                    order_id TEXT, filename TEXT, content_type TEXT, content_length \(raw: dialect.integer),
                    sha256 \(raw: dialect.bytes), multipart TEXT, part_size \(raw: dialect.integer),
                    issued_at \(raw: dialect.integer) NOT NULL, expires_at \(raw: dialect.integer) NOT NULL,
                    received_at \(raw: dialect.integer), ended_at \(raw: dialect.integer),
                    changed_at \(raw: dialect.integer) NOT NULL,
                    bytes \(raw: dialect.integer), etag TEXT,
                    due_at \(raw: dialect.integer), lease TEXT, attempts \(raw: dialect.integer) NOT NULL DEFAULT 0,
                    instances \(raw: dialect.integer) NOT NULL DEFAULT 0, studies TEXT, failures TEXT,
                    failure_count \(raw: dialect.integer) NOT NULL DEFAULT 0
                )\(raw: dialect.clustered)
                """,
                // What a worker picks from: few rows, however many have ended.
                "CREATE INDEX uploads_due ON uploads (due_at) WHERE due_at IS NOT NULL",
                // What is out, by client; and what is to expire.
                "CREATE INDEX uploads_issued ON uploads (client, expires_at) WHERE state = 'issued'",
                "CREATE INDEX uploads_expiring ON uploads (expires_at) WHERE state = 'issued'",
                // What a client's page shows: what changed last.
                "CREATE INDEX uploads_changed ON uploads (client, changed_at)",
                "CREATE INDEX uploads_ended ON uploads (ended_at) WHERE ended_at IS NOT NULL",
                "CREATE INDEX uploads_order ON uploads (order_id) WHERE order_id IS NOT NULL",
                """
                CREATE TABLE upload_duties (
                    name \(raw: dialect.text) NOT NULL PRIMARY KEY, until \(raw: dialect.integer) NOT NULL
                )\(raw: dialect.clustered)
                """,
            ]
        }
    ]
}
