import Foundation
import GantryTesting
import PostgreSQLStorage
import SQLStorage
import Synchronization
import Testing

/// Servers that end, networks that break, and more work than there is room for. Each test has its own server or proxy.
@Suite struct PostgreSQLFaultTests {
    @Test func `a server that ends and comes back costs nothing that was acknowledged`() async throws {
        let server = try await PostgreSQLServer.start(isDurable: true)
        let configuration = try await server.makeDatabase()
        let database = try TestDatabase.open(configuration)
        try await database.write { try $0.execute("CREATE TABLE item (id BIGINT PRIMARY KEY)") }
        let ends = Counter()
        let (acknowledged, errors) = try await withThrowingTaskGroup(of: ([Int64], Set<SQLError.Code>).self) { group in
            for writer in 0..<4 as Range<Int64> {
                group.addTask {
                    var acknowledged: [Int64] = []
                    var errors: Set<SQLError.Code> = []
                    var id = writer
                    while ends.count == 0 {
                        id += 4
                        do {
                            try await database.write { [id] in try $0.execute("INSERT INTO item VALUES (\(id))") }
                            acknowledged.append(id)
                        } catch let error as SQLError {
                            errors.insert(error.code)
                            try await Task.sleep(for: .milliseconds(5))
                        }
                    }
                    return (acknowledged, errors)
                }
            }
            defer { ends.add() }
            for _ in 1...2 {
                try await server.kill()
                try await server.restart()
                try await wait("writes go on") { try await database.write { _ = try $0.execute("SELECT 1") } }
            }
            try await server.stop()
            try await server.restart()
            try await wait("writes go on") { try await database.write { _ = try $0.execute("SELECT 1") } }
            ends.add()
            return try await group.reduce(into: ([Int64](), Set<SQLError.Code>())) { all, one in
                all.0 += one.0
                all.1.formUnion(one.1)
            }
        }
        let stored = try await database.read { Set(try $0.rows("SELECT id FROM item") { $0.int(0) }) }
        #expect(!acknowledged.isEmpty)
        #expect(stored.isSuperset(of: acknowledged))
        #expect(errors.isSubset(of: [.connection, .outcomeUnknown]))
        try await database.close()
    }

    @Test func `a server that stays away is told quickly, and found again by itself`() async throws {
        let server = try await PostgreSQLServer.start()
        var configuration = try await server.makeDatabase()
        configuration.waitTimeout = 300
        let database = try TestDatabase.open(configuration)
        #expect(try await database.read { try $0.firstInt("SELECT 1") } == 1)
        try await server.stop()
        let clock = ContinuousClock()
        let first = await clock.measure {
            await expect(.connection) { _ = try await database.read { try $0.firstInt("SELECT 1") } }
        }
        #expect(first < .seconds(5))
        let others = await clock.measure {
            await withTaskGroup(of: SQLError.Code?.self) { group in
                for _ in 0..<200 {
                    group.addTask { await code { try await database.write { _ = try $0.execute("SELECT 1") } } }
                }
                for await code in group { #expect(code == .connection) }
            }
        }
        #expect(others < .seconds(30))
        try await server.restart()
        try await wait("the server is found again") { _ = try await database.read { try $0.firstInt("SELECT 1") } }
        try await database.close()
    }

    @Test func `a connection that breaks in the middle of a transaction is replaced, and it runs again`() async throws {
        try await withProxy { proxy, database in
            try await database.write { try $0.execute("CREATE TABLE item (id BIGINT)") }
            let runs = Counter()
            try await database.write { transaction in
                try transaction.execute("INSERT INTO item VALUES (1)")
                runs.add()
                if runs.count == 1 { proxy.cut() }
                try transaction.execute("INSERT INTO item VALUES (2)")
            }
            #expect(runs.count == 2)
            #expect(try await database.read { try $0.firstInt("SELECT COUNT(*) FROM item") } == 2)
            // Idle ones, too.
            proxy.cut()
            #expect(try await database.read { try $0.firstInt("SELECT COUNT(*) FROM item") } == 2)
        }
    }

    @Test func `a commit whose answer is lost has an unknown outcome, and is not run again`() async throws {
        try await withProxy { proxy, database in
            try await database.write { try $0.execute("CREATE TABLE item (id BIGINT)") }
            let runs = Counter()
            // Not the word in READ COMMITTED.
            proxy.cut(behind: "COMMIT\u{0}")
            let result = await code {
                try await database.write { transaction in
                    runs.add()
                    try transaction.execute("INSERT INTO item VALUES (1)")
                }
            }
            #expect(result == .outcomeUnknown)
            #expect(runs.count == 1)
            try await wait("the commit of the server is seen") {
                let count = try await database.read { try $0.firstInt("SELECT COUNT(*) FROM item") }
                guard count == 1 else { throw SQLError(.other, "not yet") }
            }
        }
    }

    @Test(arguments: [LoopbackProxy.Mode.swallow, .stall])
    func `a network that swallows everything ends in an error, and heals`(mode: LoopbackProxy.Mode) async throws {
        try await withProxy { proxy, database in
            proxy.mode = mode
            let time = await ContinuousClock().measure {
                await expect(.connection) { _ = try await database.read { try $0.firstInt("SELECT 1") } }
            }
            #expect(time < .seconds(12))
            proxy.mode = .pass
            try await wait("the network heals") { _ = try await database.read { try $0.firstInt("SELECT 1") } }
        } configure: {
            $0.statementTimeout = 200
            $0.waitTimeout = 500
            $0.connectTimeout = 2
        }
    }

    @Test func `a statement that takes too long ends, and its connection goes on`() async throws {
        try await withProxy { _, database in
            await expect(.busy) { _ = try await database.read { try $0.firstText("SELECT pg_sleep(30)") } }
            #expect(try await database.read { try $0.firstInt("SELECT 1") } == 1)
            let slept = try await database.write { transaction in
                try transaction.liftTimeLimits()
                return try transaction.firstInt("SELECT 7 FROM pg_sleep(0.5)")
            }
            #expect(slept == 7)
            await expect(.busy) { try await database.write { _ = try $0.execute("SELECT pg_sleep(30)") } }
        } configure: {
            $0.statementTimeout = 200
        }
    }

    @Test func `who waits too long for a lock is told so`() async throws {
        try await withProxy { _, database in
            guard let lock = database.dialect.lock("item") else {
                Issue.record("there is a lock")
                return
            }
            async let holder: Void = database.write { transaction in
                try transaction.execute(lock)
                _ = try transaction.firstText("SELECT pg_sleep(4)")
            }
            try await wait("the lock is taken") {
                let held = try await database.read {
                    try $0.exists("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted")
                }
                guard held else { throw SQLError(.other, "not yet") }
            }
            await expect(.busy) { try await database.write { _ = try $0.execute(lock) } }
            try await holder
            try await database.write { _ = try $0.execute(lock) }
        } configure: {
            $0.lockTimeout = 100
        }
    }

    @Test func `work that finds no connection waits for a time, and no more of it than was agreed`() async throws {
        try await withProxy { _, database in
            let clock = ContinuousClock()
            async let holder: Void = database.write { _ = try $0.execute("SELECT pg_sleep(5)") }
            try await wait("the connection is taken") {
                let busy = try await database.read {
                    try $0.exists(
                        "SELECT 1 FROM pg_stat_activity WHERE query LIKE '%pg_sleep(5)%' AND pid <> pg_backend_pid()")
                }
                guard busy else { throw SQLError(.other, "not yet") }
            }
            await withTaskGroup(of: (SQLError.Code?, Duration).self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        let start = clock.now
                        let result = await code { try await database.write { _ = try $0.execute("SELECT 1") } }
                        return (result, clock.now - start)
                    }
                }
                var times: [Duration] = []
                for await (code, time) in group {
                    #expect(code == .busy)
                    times.append(time)
                }
                #expect(times.allSatisfy { $0 < .seconds(3) })
                // Four waited for their time, the others found four waiting.
                #expect(times.count { $0 > .milliseconds(250) } == 4)
            }
            try await holder
            try await database.write { _ = try $0.execute("SELECT 1") }
        } configure: {
            $0.writers = 1
            $0.waitTimeout = 300
            $0.queueLimit = 4
        }
    }

    @Test func `a server that gives fewer connections than wanted is used with those there are`() async throws {
        let server = try await PostgreSQLServer.start(
            settings: ["max_connections=6", "superuser_reserved_connections=0"])
        var configuration = try await server.makeDatabase()
        configuration.readers = 20
        let database = try TestDatabase.open(configuration)
        let time = try await ContinuousClock().measure {
            try await withThrowingTaskGroup(of: Int64?.self) { group in
                for _ in 0..<200 {
                    group.addTask { try await database.read { try $0.firstInt("SELECT 1 FROM pg_sleep(0.01)") } }
                }
                for try await one in group { #expect(one == 1) }
            }
        }
        #expect(time < .seconds(8))
        try await database.close()
    }

    @Test(arguments: [
        ("53100", SQLError.Code.full), ("25006", .readOnly), ("40001", .serialization), ("40P01", .serialization),
        ("55P03", .busy), ("57014", .busy), ("57P01", .connection), ("08006", .connection), ("58030", .io),
        ("XX001", .corrupt), ("23505", .constraint(.unique)), ("23503", .constraint(.foreignKey)),
        ("23P01", .constraint(.other)), ("42P01", .syntax), ("22012", .other), ("53300", .busy),
    ])
    func `each reason of the server has its code`(state: String, expected: SQLError.Code) async throws {
        let database = try TestDatabase.open(try await PostgreSQLServer.shared.makeDatabase())
        try await database.write {
            try $0.execute(
                """
                CREATE FUNCTION refuse(state TEXT) RETURNS INT LANGUAGE plpgsql
                AS 'BEGIN RAISE EXCEPTION USING ERRCODE = state, MESSAGE = ''no''; END'
                """)
        }
        await expect(expected) { try await database.write { _ = try $0.execute("SELECT refuse(\(state))") } }
        #expect(try await database.read { try $0.firstInt("SELECT 1") } == 1)
        try await database.close()
    }

    // MARK: -

    private func withProxy(
        _ body: (LoopbackProxy, PostgreSQLDatabase) async throws -> Void,
        configure: (inout PostgreSQLConfiguration) -> Void = { _ in }
    ) async throws {
        let server = try await PostgreSQLServer.shared
        let direct = try await server.makeDatabase()
        let proxy = try LoopbackProxy(to: server.port)
        var configuration = PostgreSQLConfiguration(
            host: "127.0.0.1", port: proxy.port, database: direct.options["dbname"] ?? "", user: "gantry",
            encryption: .disable)
        configure(&configuration)
        let database = try TestDatabase.open(configuration)
        try await body(proxy, database)
        try await database.close()
        proxy.close()
    }

    /// Tries until it works, for 15 seconds.
    private func wait(_ what: Comment, _ body: () async throws -> Void) async throws {
        let deadline = ContinuousClock.now + .seconds(15)
        while true {
            do {
                return try await body()
            } catch {
                guard ContinuousClock.now < deadline else {
                    Issue.record(error, what)
                    throw error
                }
                try await Task.sleep(for: .milliseconds(20))
            }
        }
    }
}

/// Counts across tasks.
private final class Counter: Sendable {
    private let value = Atomic(0)

    var count: Int { value.load(ordering: .acquiring) }
    func add() { value.add(1, ordering: .releasing) }
}

/// Expects that the body fails with this code.
private func expect(
    _ expected: SQLError.Code, at location: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
) async {
    let found = await code { try await body() }
    #expect(found == expected, sourceLocation: location)
}

private func code<T>(_ body: () async throws -> T) async -> SQLError.Code? {
    do {
        _ = try await body()
        return nil
    } catch {
        return (error as? SQLError)?.code
    }
}
