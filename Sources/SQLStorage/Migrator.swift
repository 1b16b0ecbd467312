/// Brings a database's schema up to date, one transaction a migration (reliability D.2 9).
package struct Migrator: Sendable {
    /// The migrations in order.
    package let migrations: [Migration]

    package init(_ migrations: [Migration]) {
        self.migrations = migrations
    }

    /// Applies what is missing and answers the names of what it applied.
    ///
    /// Throws ``SQLError/Code-swift.enum/schema`` without touching anything when the database has a migration that is not known here (a newer
    /// version wrote it) or one whose text was different.
    @discardableResult
    package func migrate(_ database: any SQLDatabase, now: Int64) async throws -> [String] {
        try await database.write { transaction in
            try transaction.execute(
                """
                CREATE TABLE IF NOT EXISTS schema_migration (
                    position \(raw: transaction.dialect.integer) NOT NULL PRIMARY KEY,
                    name TEXT NOT NULL UNIQUE, checksum TEXT NOT NULL, applied_at \(raw: transaction.dialect.integer) NOT NULL
                )
                """)
        }
        var applied: [String] = []
        for name in try await pending(database) {
            // Checked again inside: another process may have been faster.
            let isNew = try await database.write { transaction in
                let missing = try self.missing(in: transaction)
                guard let first = missing.first, first.migration.name == name else { return false }
                for statement in first.migration.statements(transaction.dialect) {
                    try transaction.execute(statement)
                }
                try transaction.execute(
                    SQLStatement(
                        "INSERT INTO schema_migration (position, name, checksum, applied_at) VALUES ($1, $2, $3, $4)",
                        [
                            .int(Int64(first.position)), .text(name),
                            .text(first.migration.checksum(in: transaction.dialect)), .int(now),
                        ]))
                return true
            }
            if isNew { applied.append(name) }
        }
        return applied
    }

    /// The names of the migrations that ``migrate(_:now:)`` would apply; the dry run.
    package func pending(_ database: any SQLDatabase) async throws -> [String] {
        try await database.read { try missing(in: $0).map(\.migration.name) }
    }

    /// Compares what the database has with what is known here.
    private func missing(in transaction: any SQLTransaction) throws -> [(position: Int, migration: Migration)] {
        let applied = try transaction.rows("SELECT name, checksum FROM schema_migration ORDER BY position") {
            (name: $0.text(0), checksum: $0.text(1))
        }
        guard applied.count <= migrations.count else {
            throw SQLError(
                .schema,
                "the schema has \(applied.count) migrations, this version knows \(migrations.count): it is newer")
        }
        for (migration, applied) in zip(migrations, applied) {
            guard migration.name == applied.name else {
                throw SQLError(.schema, "the schema has migration \(applied.name) where \(migration.name) belongs")
            }
            guard migration.checksum(in: transaction.dialect) == applied.checksum else {
                throw SQLError(.schema, "migration \(applied.name) was applied with another text")
            }
        }
        return migrations.enumerated().dropFirst(applied.count).map { ($0.offset, $0.element) }
    }
}
