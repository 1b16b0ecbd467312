/// Brings a database's schema up to date, one transaction a migration (reliability D.2 9).
package struct Migrator: Sendable {
    /// The migrations in order.
    package let migrations: [Migration]

    /// Whether a database that an archive is just being moved into is left alone.
    private let refusesMoves: Bool

    /// - Parameter refusesMoves: A database that holds the first half of an archive is no archive: only the move itself goes on
    ///   with it.
    package init(_ migrations: [Migration], refusesMoves: Bool = true) {
        self.migrations = migrations
        self.refusesMoves = refusesMoves
    }

    /// Applies what is missing and answers the names of what it applied.
    ///
    /// Throws ``SQLError/Code-swift.enum/schema`` without touching anything when the database has a migration that is not known here (a newer
    /// version wrote it) or one whose text was different.
    @discardableResult
    package func migrate(_ database: any SQLDatabase, now: Int64) async throws -> [String] {
        var applied: [String] = []
        // Each looks again: several processes may start at once, and then one of them does it.
        while let next = try await pending(database).first {
            let isApplied = try await database.write { transaction in
                guard let first = try self.missing(in: transaction).first, first.migration.name == next else {
                    return false
                }
                for statement in first.migration.statements(transaction.dialect) {
                    try transaction.execute(statement)
                }
                try transaction.execute(
                    SQLStatement(
                        "INSERT INTO schema_migration (position, name, checksum, applied_at) VALUES ($1, $2, $3, $4)",
                        [
                            .int(Int64(first.position)), .text(next),
                            .text(first.migration.checksum(in: transaction.dialect)), .int(now),
                        ]))
                return true
            }
            if isApplied { applied.append(next) }
        }
        return applied
    }

    /// The names of the migrations that ``migrate(_:now:)`` would apply; the dry run, which leaves no trace.
    package func pending(_ database: any SQLDatabase) async throws -> [String] {
        struct Answer: Error { var names: [String] }
        do {
            return try await database.write { transaction in
                throw Answer(names: try missing(in: transaction).map(\.migration.name))
            }
        } catch let answer as Answer {
            return answer.names
        }
    }

    /// Compares what the database has with what is known here.
    ///
    /// Waits for others that migrate, and keeps them waiting to the end of the transaction.
    private func missing(in transaction: any SQLTransaction) throws -> [(position: Int, migration: Migration)] {
        try transaction.liftTimeLimits()
        if let lock = transaction.dialect.lock("schema_migration") { try transaction.execute(lock) }
        try transaction.execute(
            """
            CREATE TABLE IF NOT EXISTS schema_migration (
                position \(raw: transaction.dialect.integer) NOT NULL PRIMARY KEY,
                name TEXT NOT NULL UNIQUE, checksum TEXT NOT NULL, applied_at \(raw: transaction.dialect.integer) NOT NULL
            )
            """)
        if refusesMoves, try TableMove.isUnderWay(in: transaction) {
            throw SQLError(
                .schema, "an archive is being moved into the database and is not complete: start the move again")
        }
        let applied = try transaction.rows("SELECT name, checksum FROM schema_migration ORDER BY position") {
            (name: $0.text(0), checksum: $0.text(1))
        }
        // By name, not by place: each area of the program adds to its own migrations.
        let known = Dictionary(uniqueKeysWithValues: migrations.map { ($0.name, $0) })
        for applied in applied {
            guard let migration = known[applied.name] else {
                throw SQLError(
                    .schema, "the schema has migration \(applied.name), which this version does not know: it is newer")
            }
            guard migration.checksum(in: transaction.dialect) == applied.checksum else {
                throw SQLError(.schema, "migration \(applied.name) was applied with another text")
            }
        }
        let names = Set(applied.map(\.name))
        return migrations.filter { !names.contains($0.name) }.enumerated().map {
            (applied.count + $0.offset, $0.element)
        }
    }
}
