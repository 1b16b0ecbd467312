import GantryTesting
import PostgreSQLStorage
import SQLStorage
import Testing

@Suite struct PostgreSQLDatabaseTests {
    @Test(arguments: SQLDatabaseContract.allCases)
    func `keeps the contract`(clause: SQLDatabaseContract) async throws {
        try await withDatabase { try await clause.check($0) }
    }

    @Test func `waits for the disk with each commit, and reads one snapshot`() async throws {
        try await withDatabase { database in
            let (commit, isolation) = try await database.write { transaction in
                (
                    try transaction.firstText("SELECT current_setting('synchronous_commit')"),
                    try transaction.firstText("SELECT current_setting('transaction_isolation')")
                )
            }
            #expect(commit == "on")
            #expect(isolation == "read committed")
            let (snapshot, isReadOnly) = try await database.read { transaction in
                (
                    try transaction.firstText("SELECT current_setting('transaction_isolation')"),
                    try transaction.firstText("SELECT current_setting('transaction_read_only')")
                )
            }
            #expect(snapshot == "repeatable read")
            #expect(isReadOnly == "on")
        }
    }

    @Test func `a read does not write`() async throws {
        try await withDatabase { database in
            try await database.write { try $0.execute("CREATE TABLE item (id BIGINT)") }
            let code = await code { try await database.read { try $0.execute("INSERT INTO item VALUES (1)") } }
            #expect(code == .readOnly)
            #expect(try await database.read { try $0.firstInt("SELECT COUNT(*) FROM item") } == 0)
        }
    }

    @Test func `what was enqueued is done in its order, and an error among it undoes all`() async throws {
        try await withDatabase { database in
            try await database.write { try $0.execute("CREATE TABLE item (id BIGINT PRIMARY KEY, name TEXT)") }
            let seen = try await database.write { transaction in
                for id in 1...1000 as ClosedRange<Int64> {
                    try transaction.enqueue(SQLStatement("INSERT INTO item VALUES ($1, $2)", [.int(id), .text("n")]))
                }
                try transaction.enqueue("DELETE FROM item WHERE id = 7")
                return try transaction.firstInt("SELECT COUNT(*) FROM item")
            }
            #expect(seen == 999)
            // Twice, so that the statements are prepared the second time.
            for _ in 1...2 {
                let failed = await code {
                    try await database.write { transaction in
                        try transaction.enqueue("INSERT INTO item VALUES (\(2000), \("new"))")
                        try transaction.enqueue("INSERT INTO item VALUES (\(1), \("old"))")
                        try transaction.enqueue("UPDATE item SET name = \("other")")
                    }
                }
                #expect(failed == .constraint(.unique))
            }
            let left = try await database.read { transaction in
                (
                    try transaction.firstInt("SELECT COUNT(*) FROM item"),
                    try transaction.exists("SELECT 1 FROM item WHERE name <> 'n' OR id = 2000")
                )
            }
            #expect(left == (999, false))
        }
    }

    @Test func `errors name the rule and never a value`() async throws {
        try await withDatabase { database in
            try await database.write {
                try $0.execute("CREATE TABLE item (id BIGINT PRIMARY KEY, name TEXT NOT NULL, CHECK (id < 1000000))")
                try $0.execute("INSERT INTO item VALUES (1, 'x')")
            }
            let secret = "Smith^John"
            let statements: [(SQLStatement, SQLError.Code)] = [
                ("INSERT INTO item VALUES (1, \(secret))", .constraint(.unique)),
                ("INSERT INTO item VALUES (98765432, \(secret))", .constraint(.check)),
                ("INSERT INTO item VALUES (CAST(\(secret) AS BIGINT), 'y')", .other),
                ("UPDATE item SET name = NULL", .constraint(.notNull)),
                ("SELECT CAST(\(secret) AS DATE)", .other),
                ("INSERT INTO item VALUES (2, \("a\u{0}b"))", .other),
            ]
            for (statement, code) in statements {
                do {
                    try await database.write { _ = try $0.execute(statement) }
                    Issue.record("a statement that must fail did not")
                } catch let error as SQLError {
                    #expect(error.code == code)
                    #expect(!"\(error)".contains("Smith") && !"\(error)".contains("98765432\""))
                }
            }
        }
    }

    @Test func `reads every type that an expression can have`() async throws {
        try await withDatabase { database in
            let values = try await database.read { transaction in
                try transaction.first(
                    """
                    SELECT SUM(x), AVG(x % 10), COUNT(*), TRUE, 7::INT2, 8::INT4, 1.5::FLOAT4, SUM(x) * 100000000000, -12345678.25,
                        MAX(x)::TEXT
                    FROM (VALUES (10000::BIGINT), (9007199254740993::BIGINT)) v (x)
                    """
                ) { row in
                    (
                        ints: [0, 2, 3, 4, 5, 6, 7, 8, 9].map { row.int($0) },
                        texts: [0, 2, 3, 6, 9].map { row.text($0) }, doubles: [1, 6, 8].map { row.double($0) }
                    )
                }
            }
            #expect(
                values?.ints == [
                    9_007_199_254_750_993, 2, 1, 7, 8, 1, .max, -12_345_678, 9_007_199_254_740_993,
                ])
            #expect(values?.texts == ["9007199254750993", "2", "1", "1.5", "9007199254740993"])
            #expect(values?.doubles == [1.5, 1.5, -12_345_678.25])
        }
    }

    @Test func `a scan that ends early, and statements inside it, leave the connection in order`() async throws {
        try await withDatabase(readers: 1) { database in
            let sums = try await database.read { transaction in
                var sums: [Int64] = []
                try transaction.scan("SELECT x FROM generate_series(1, 100000) x") { row in
                    sums.append(try transaction.firstInt("SELECT \(row.int(0)) + 0") ?? -1)
                    return sums.count < 1000
                }
                return sums
            }
            #expect(sums == Array(1...1000))
            #expect(try await database.read { try $0.firstInt("SELECT 5") } == 5)
        }
    }

    @Test func `transactions that collide run again`() async throws {
        try await withDatabase { database in
            try await database.write {
                try $0.execute("CREATE TABLE item (id BIGINT PRIMARY KEY, count BIGINT NOT NULL)")
                try $0.execute("INSERT INTO item VALUES (1, 0), (2, 0)")
            }
            // Each takes the rows in another order: deadlocks, one of each two has to give way.
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<24 {
                    group.addTask {
                        try await database.write { transaction in
                            for id in number.isMultiple(of: 2) ? [1, 2] : [2, 1] {
                                try transaction.execute("UPDATE item SET count = count + 1 WHERE id = \(id)")
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await database.read { try $0.firstInt("SELECT MIN(count) + MAX(count) FROM item") } == 48)
        }
    }

    @Test func `more texts than are kept prepared do not pile up at the server`() async throws {
        try await withDatabase(readers: 1) { database in
            for number in 1...400 {
                let list = SQLStatement("SELECT \(list: 1...number)")
                _ = try await database.read { try $0.firstInt(list) }
            }
            let count = try await database.read { try $0.firstInt("SELECT COUNT(*) FROM pg_prepared_statements") }
            #expect((count ?? 0) < 200)
        }
    }

    @Test func `a closed database refuses work`() async throws {
        let database = try TestDatabase.open(try await PostgreSQLServer.shared.makeDatabase())
        #expect(try await database.read { try $0.firstInt("SELECT 1") } == 1)
        try await database.close()
        #expect(await code { try await database.read { _ in } } == .connection)
        #expect(await code { try await database.write { _ in } } == .connection)
    }

    @Test func `a server that is not there, or a database that is not, is told at once`() async throws {
        let port = try PostgreSQLServer.freePort()
        let absent = PostgreSQLConfiguration(
            host: "127.0.0.1", port: port, database: "x", user: "gantry", password: "not-to-be-seen")
        let unknown = try await PostgreSQLServer.shared.configuration(database: "nowhere")
        for configuration in [absent, unknown] {
            do {
                _ = try TestDatabase.open(configuration)
                Issue.record("opened what is not there")
            } catch let error as SQLError {
                #expect(error.code == .connection)
                #expect(!"\(error)".contains("not-to-be-seen"))
            }
        }
    }

    private func code<T>(_ body: () async throws -> T) async -> SQLError.Code? {
        do {
            _ = try await body()
            return nil
        } catch {
            return (error as? SQLError)?.code
        }
    }

    private func withDatabase(
        readers: Int = 3, _ body: (PostgreSQLDatabase) async throws -> Void
    ) async throws {
        var configuration = try await PostgreSQLServer.shared.makeDatabase()
        configuration.readers = readers
        let database = try TestDatabase.open(configuration)
        try await body(database)
        try await database.close()
    }
}
