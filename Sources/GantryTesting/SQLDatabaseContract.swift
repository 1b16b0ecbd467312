package import SQLStorage

/// What every ``SQLDatabase`` promises. Each clause wants a database that is empty.
package enum SQLDatabaseContract: String, CaseIterable, Sendable {
    case values = "gives every kind of value back"
    case rollback = "keeps nothing of a write that throws"
    case constraints = "tells which rule was broken"
    case syntax = "tells a wrong statement"
    case like = "compares LIKE by case"
    case order = "takes placeholders in any order, and twice"
    case lists = "takes lists and statements inside statements"
    case nesting = "runs one statement inside itself"
    case parallel = "serialises writes that ask for it"
    case changes = "counts changed rows"
    case enqueuing = "does what was enqueued before what comes next, or nothing"
    case migrations = "applies migrations once and refuses a newer schema"

    /// Throws a ``ContractViolation`` or the database's own error.
    package func check(_ database: any SQLDatabase) async throws {
        try await database.write { transaction in
            try transaction.execute(
                "CREATE TABLE item (id \(raw: database.dialect.integer) PRIMARY KEY, name TEXT NOT NULL UNIQUE, share DOUBLE PRECISION, bytes \(raw: database.dialect.bytes))"
            )
        }
        switch self {
        case .values: try await checkValues(database)
        case .rollback: try await checkRollback(database)
        case .constraints: try await checkConstraints(database)
        case .syntax: try await checkSyntax(database)
        case .like: try await checkLike(database)
        case .order: try await checkOrder(database)
        case .lists: try await checkLists(database)
        case .nesting: try await checkNesting(database)
        case .parallel: try await checkParallel(database)
        case .changes: try await checkChanges(database)
        case .enqueuing: try await checkEnqueuing(database)
        case .migrations: try await checkMigrations(database)
        }
    }

    private func insert(_ id: Int64, _ name: String) -> SQLStatement {
        SQLStatement("INSERT INTO item (id, name) VALUES ($1, $2)", [.int(id), .text(name)])
    }

    private func count(_ database: any SQLDatabase) async throws -> Int64? {
        try await database.read { try $0.firstInt("SELECT count(*) FROM item") }
    }

    private func code<T>(_ body: () async throws -> T) async throws -> SQLError.Code? {
        do {
            _ = try await body()
            return nil
        } catch let error as SQLError {
            return error.code
        }
    }

    private func checkValues(_ database: any SQLDatabase) async throws {
        let long = String(repeating: "ß漢", count: 5000)
        let bytes = [UInt8](repeating: 7, count: 70000)
        try await database.write { transaction in
            let text = "INSERT INTO item (id, name, share, bytes) VALUES (" as StaticString
            try transaction.execute("\(raw: text)\(Int64.max), \(long), \(0.5), \(bytes))")
            try transaction.execute("\(raw: text)\(Int64.min), \(""), \(Double?.none), \([UInt8]()))")
            try transaction.execute("\(raw: text)\(0), \("null"), \(Double?.none), \([UInt8]?.none))")
        }
        let rows = try await database.read { transaction in
            try transaction.rows("SELECT id, name, share, bytes FROM item ORDER BY id DESC") { row in
                (row.int(0), row.text(1), row.optionalDouble(2), row.optionalBytes(3), row.withBytes(3) { $0.count })
            }
        }
        try require(rows.count == 3, "three rows")
        try require(rows[0] == (Int64.max, long, 0.5, bytes, 70000), "long values")
        try require(rows[2].0 == .min && rows[2].1 == "" && rows[2].3 == [], "empty values")
        try require(rows[1].2 == nil && rows[1].3 == nil && rows[1].4 == 0, "NULL")
    }

    private func checkRollback(_ database: any SQLDatabase) async throws {
        struct Refusal: Error {}
        do {
            try await database.write { transaction in
                try transaction.execute(insert(1, "a"))
                throw Refusal()
            }
            try require(false, "the error comes through")
        } catch is Refusal {}
        try require(try await count(database) == 0, "nothing is left")
        try await database.write { try $0.execute(insert(1, "a")) }
        try require(try await count(database) == 1, "the next write works")
    }

    private func checkConstraints(_ database: any SQLDatabase) async throws {
        try await database.write { try $0.execute(insert(1, "a")) }
        let unique = try await code { try await database.write { try $0.execute(insert(2, "a")) } }
        try require(unique == .constraint(.unique), "unique")
        let notNull = try await code {
            try await database.write { try $0.execute("INSERT INTO item (id, name) VALUES (3, NULL)") }
        }
        try require(notNull == .constraint(.notNull), "not null")
        try await database.write {
            try $0.execute("CREATE TABLE part (item \(raw: $0.dialect.integer) NOT NULL REFERENCES item (id))")
        }
        let foreign = try await code { try await database.write { try $0.execute("INSERT INTO part VALUES (9)") } }
        try require(foreign == .constraint(.foreignKey), "foreign key")
    }

    private func checkSyntax(_ database: any SQLDatabase) async throws {
        let wrong = try await code {
            try await database.read { try $0.forEach("SELECT nothing FROM nowhere") { _ in } }
        }
        try require(wrong == .syntax, "no such table")
        let missing = try await code { try await database.read { _ = try $0.firstInt("SELECT $1") } }
        try require(missing == .syntax, "a placeholder without a value")
    }

    private func checkLike(_ database: any SQLDatabase) async throws {
        try await database.write { try $0.execute(insert(1, "Abc")) }
        let (same, other) = try await database.read { transaction in
            (
                try transaction.exists("SELECT 1 FROM item WHERE name LIKE \("A%")"),
                try transaction.exists("SELECT 1 FROM item WHERE name LIKE \("a%")")
            )
        }
        try require(same && !other, "only the same case matches")
    }

    private func checkOrder(_ database: any SQLDatabase) async throws {
        try await database.write {
            try $0.execute(SQLStatement("INSERT INTO item (name, id) VALUES ($2, $1)", [.int(5), .text("e")]))
        }
        let found = try await database.read {
            try $0.exists(
                SQLStatement("SELECT 1 FROM item WHERE name = $2 AND id = $1 AND $1 + 0 = id", [.int(5), .text("e")]))
        }
        try require(found, "numbers say which value")
    }

    private func checkLists(_ database: any SQLDatabase) async throws {
        try await database.write { transaction in
            for id in 1...12 { try transaction.execute(insert(Int64(id), "n\(id)")) }
        }
        let conditions: [SQLStatement] = [
            "id IN (\(list: [1, 2, 3, 11, 12]))", SQLStatement("name <> $1", [.text("n2")]),
            "id > \(1) AND id <= \(11)",
        ]
        let ids = try await database.read { transaction in
            try transaction.rows("SELECT id FROM item WHERE \(conditions.joined(by: " AND ")) ORDER BY id") {
                $0.int(0)
            }
        }
        try require(ids == [3, 11], "all conditions count")
        let none = try await database.read { transaction in
            try transaction.exists("SELECT 1 FROM item WHERE id IN (\(list: [Int]()))")
        }
        try require(!none, "nothing is in an empty list")
    }

    private func checkNesting(_ database: any SQLDatabase) async throws {
        try await database.write { transaction in
            for id in 1...3 { try transaction.execute(insert(Int64(id), "n\(id)")) }
        }
        let pairs = try await database.read { transaction in
            func each(_ body: (Int64) throws -> Void) throws {
                try transaction.forEach("SELECT id FROM item ORDER BY id") { try body($0.int(0)) }
            }
            var pairs: [[Int64]] = []
            try each { first in try each { second in pairs.append([first, second]) } }
            return pairs
        }
        try require(pairs.count == 9 && pairs.last == [3, 3], "each with each")
    }

    private func checkParallel(_ database: any SQLDatabase) async throws {
        try await database.write { try $0.execute(insert(0, "x")) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for id in 1...50 {
                group.addTask {
                    try await database.write { transaction in
                        if let lock = transaction.dialect.lock("item") { try transaction.execute(lock) }
                        let next = (try transaction.firstInt("SELECT max(id) FROM item") ?? 0) + 1
                        try transaction.execute(insert(next, "p\(id)"))
                    }
                }
                group.addTask { _ = try await count(database) }
            }
            try await group.waitForAll()
        }
        let highest = try await database.read { try $0.firstInt("SELECT max(id) FROM item") }
        try require(highest == 50, "every write saw the one before")
    }

    private func checkChanges(_ database: any SQLDatabase) async throws {
        let counts = try await database.write { transaction in
            [
                try transaction.execute(insert(1, "a")), try transaction.execute(insert(2, "b")),
                try transaction.execute("UPDATE item SET share = 1"),
                try transaction.execute("UPDATE item SET share = 2 WHERE id = 9"),
                try transaction.execute("INSERT INTO item (id, name) VALUES (1, 'a') ON CONFLICT DO NOTHING"),
                try transaction.execute("DELETE FROM item"),
            ]
        }
        try require(counts == [1, 1, 2, 0, 0, 2], "counts \(counts)")
    }

    private func checkEnqueuing(_ database: any SQLDatabase) async throws {
        let (count, name) = try await database.write { transaction in
            for id in 1...600 { try transaction.enqueue(insert(Int64(id), "n\(id)")) }
            try transaction.enqueue("UPDATE item SET name = \("last") WHERE id = \(600)")
            return (
                try transaction.firstInt("SELECT count(*) FROM item"),
                try transaction.firstText("SELECT name FROM item WHERE id = 600")
            )
        }
        try require(count == 600 && name == "last", "in their order")
        let broken = try await code {
            try await database.write { transaction in
                try transaction.enqueue(insert(601, "before"))
                try transaction.enqueue(insert(602, "n1"))
                try transaction.enqueue(insert(603, "behind"))
            }
        }
        try require(broken == .constraint(.unique), "the error comes with the commit at the latest")
        try require(try await self.count(database) == 600, "nothing of it is left")
    }

    private func checkMigrations(_ database: any SQLDatabase) async throws {
        let first = Migration("0001 first") { _ in ["CREATE TABLE first (id INTEGER)"] }
        let second = Migration("0002 second") { _ in ["CREATE TABLE second (id INTEGER)"] }
        let broken = Migration("0002 second") { _ in ["CREATE TABLE third (id INTEGER)", "CREATE nonsense"] }
        try require(try await Migrator([first]).migrate(database, now: 1) == ["0001 first"], "applied")
        let code = try await code { try await Migrator([first, broken]).migrate(database, now: 2) }
        try require(code == .syntax, "a broken migration")
        try require(try await Migrator([first, second]).pending(database) == ["0002 second"], "left nothing behind")
        try require(try await Migrator([first, second]).migrate(database, now: 3) == ["0002 second"], "then the next")
        try require(try await Migrator([first, second]).migrate(database, now: 4) == [], "each once")
        let between = Migration("0001 between") { _ in ["CREATE TABLE between_them (id INTEGER)"] }
        let names = try await Migrator([first, between, second]).migrate(database, now: 4)
        try require(names == ["0001 between"], "one that another area added before")
        try require(try await Migrator([first, between, second]).pending(database) == [], "each once, too")
        let newer = try await self.code { try await Migrator([first, between]).migrate(database, now: 5) }
        try require(newer == .schema, "refuses a newer schema")
        let edited = Migration("0001 first") { _ in ["CREATE TABLE other (id INTEGER)"] }
        let changed = try await self.code { try await Migrator([edited, between, second]).migrate(database, now: 6) }
        try require(changed == .schema, "refuses an edited migration")
    }
}
