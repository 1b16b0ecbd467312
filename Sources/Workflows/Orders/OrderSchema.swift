package import SQLStorage

/// The tables of orders.
package enum OrderSchema {
    /// In order; a migration that landed is never edited.
    package static let migrations = [
        Migration("orders 0001 orders") { dialect in
            [
                """
                CREATE TABLE orders (
                    number \(raw: dialect.numberedKey),
                    id \(raw: dialect.text) NOT NULL UNIQUE, owner \(raw: dialect.text) NOT NULL, client TEXT, organization TEXT,
                    study \(raw: dialect.text), revision \(raw: dialect.integer) NOT NULL,
                    state TEXT NOT NULL, failure TEXT, missing TEXT NOT NULL,
                    expected \(raw: dialect.integer), instances \(raw: dialect.integer) NOT NULL,
                    replacements \(raw: dialect.integer) NOT NULL, is_implicit \(raw: dialect.integer) NOT NULL,
                    created_at \(raw: dialect.integer) NOT NULL, first_instance_at \(raw: dialect.integer),
                    last_instance_at \(raw: dialect.integer), complete_at \(raw: dialect.integer),
                    processing_at \(raw: dialect.integer), ended_at \(raw: dialect.integer),
                    metadata_deadline \(raw: dialect.integer), is_warned \(raw: dialect.integer) NOT NULL,
                    due_at \(raw: dialect.integer)
                )
                """,
                "CREATE INDEX orders_due ON orders (due_at) WHERE due_at IS NOT NULL",
                "CREATE INDEX orders_study ON orders (study, number) WHERE study IS NOT NULL",
                "CREATE INDEX orders_client ON orders (client, number) WHERE client IS NOT NULL",
                "CREATE INDEX orders_organization ON orders (organization, number) WHERE organization IS NOT NULL",
                "CREATE INDEX orders_state ON orders (state, number)",
                """
                CREATE TABLE order_instances (
                    order_number \(raw: dialect.integer) NOT NULL, instance \(raw: dialect.text) NOT NULL,
                    digest \(raw: dialect.bytes) NOT NULL, length \(raw: dialect.integer) NOT NULL,
                    received_at \(raw: dialect.integer) NOT NULL,
                    PRIMARY KEY (order_number, instance)
                )\(raw: dialect.clustered)
                """,
                """
                CREATE TABLE order_metadata (
                    order_number \(raw: dialect.integer) NOT NULL, name \(raw: dialect.text) NOT NULL,
                    source \(raw: dialect.integer) NOT NULL, value TEXT NOT NULL,
                    changed_at \(raw: dialect.integer) NOT NULL,
                    PRIMARY KEY (order_number, name, source)
                )\(raw: dialect.clustered)
                """,
                """
                CREATE TABLE order_history (
                    position \(raw: dialect.numberedKey), order_number \(raw: dialect.integer) NOT NULL,
                    time \(raw: dialect.integer) NOT NULL, kind TEXT NOT NULL, client TEXT, details TEXT NOT NULL
                )
                """,
                "CREATE INDEX order_history_order ON order_history (order_number, position)",
                """
                CREATE TABLE order_reports (
                    order_number \(raw: dialect.integer) NOT NULL, type \(raw: dialect.text) NOT NULL,
                    media_type TEXT NOT NULL, location \(raw: dialect.text) NOT NULL, length \(raw: dialect.integer) NOT NULL,
                    digest \(raw: dialect.bytes) NOT NULL, is_final \(raw: dialect.integer) NOT NULL,
                    stored_at \(raw: dialect.integer) NOT NULL, client TEXT,
                    PRIMARY KEY (order_number, type)
                )\(raw: dialect.clustered)
                """,
                "CREATE INDEX order_reports_location ON order_reports (location)",
            ]
        }
    ]
}
