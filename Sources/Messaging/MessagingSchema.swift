package import SQLStorage

/// The tables of messaging.
package enum MessagingSchema {
    /// In order; a migration that landed is never edited.
    package static let migrations = [
        Migration("messaging 0001 outbox") { dialect in
            [
                """
                CREATE TABLE outbox_events (
                    position \(raw: dialect.numberedKey),
                    id_high \(raw: dialect.integer) NOT NULL, id_low \(raw: dialect.integer) NOT NULL,
                    source TEXT NOT NULL, type TEXT NOT NULL, subject TEXT, partition_key TEXT NOT NULL,
                    time \(raw: dialect.integer) NOT NULL, data \(raw: dialect.bytes) NOT NULL,
                    attempts \(raw: dialect.integer) NOT NULL DEFAULT 0,
                    due_at \(raw: dialect.integer) NOT NULL,
                    is_parked \(raw: dialect.integer) NOT NULL DEFAULT 0
                )
                """
            ]
        }
    ]
}
