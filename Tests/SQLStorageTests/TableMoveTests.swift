import Foundation
import GantryTesting
import SQLStorage
import Synchronization
import Testing

@Suite struct TableMoveTests {
    private static let migrations = [
        Migration("0001 things") { dialect in
            [
                """
                CREATE TABLE thing (id \(raw: dialect.numberedKey), name \(raw: dialect.text) NOT NULL, note TEXT,
                    share DOUBLE PRECISION, bytes \(raw: dialect.bytes) NOT NULL)
                """,
                """
                CREATE TABLE word (language \(raw: dialect.text) NOT NULL, word TEXT NOT NULL, PRIMARY KEY (language, word))
                """,
            ]
        }
    ]

    private struct Broken: Error {}

    /// Two migrated databases, the first one with rows.
    private static func withDatabases(
        rows: Int64 = 1_300, _ body: (any SQLDatabase, any SQLDatabase) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "move-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let source = try await TestDatabase.sqlite.open(folder: folder.path)
        let target = try await TestDatabase.postgreSQL.open(folder: folder.path)
        for database in [source, target] { try await Migrator(migrations).migrate(database, now: 7) }
        try await source.write { transaction in
            for id in 1...rows {
                try transaction.execute(
                    """
                    INSERT INTO thing (id, name, note, share, bytes)
                    VALUES (\(id), \("name \(id % 10)"), \(id % 2 == 0 ? "ü^Ä\n" : nil), \(id % 3 == 0 ? Double(id) / 7 : nil),
                        \([UInt8](repeating: UInt8(truncatingIfNeeded: id), count: Int(id % 40))))
                    """)
            }
            // Languages sort differently by the rules of one and by their bytes.
            for word in ["a", "B", "b", "Z", "ä", "_", "", "z z"] {
                for language in ["de", "EN", "é"] {
                    try transaction.execute("INSERT INTO word (language, word) VALUES (\(language), \(word))")
                }
            }
            // A number that is gone is not given again.
            try transaction.execute("DELETE FROM thing WHERE id = \(rows)")
        }
        try await body(source, target)
        try await source.close()
        try await target.close()
    }

    @Test func `all rows arrive as they are, and numbers go on`() async throws {
        try await Self.withDatabases { source, target in
            let counted = try await TableMove(from: source, to: target).rowCount()
            let tables = try await TableMove(from: source, to: target).run()
            #expect(tables.map(\.name) == ["thing", "word"])
            #expect(tables.map(\.rows) == [1_299, 24])
            #expect(counted == 1_323)
            #expect(tables.allSatisfy { $0.digest.count == 64 } && tables[0].digest != tables[1].digest)
            let next = try await target.write {
                try $0.firstInt("INSERT INTO thing (name, bytes) VALUES ('new', '') RETURNING id")
            }
            #expect(next == 1_301)
            #expect(try await target.read { try TableMove.isUnderWay(in: $0) } == false)
        }
    }

    @Test func `a move that broke off goes on, and nobody else works on its target meanwhile`() async throws {
        try await Self.withDatabases { source, target in
            func exchange(failingAt limit: Int64) -> TableMove.Exchange {
                TableMove.Exchange(table: "thing", column: "name", batch: 100) { rows in
                    try rows.map { row in
                        guard case .int(let id) = row["id"], id < limit else { throw Broken() }
                        return .text("elsewhere \(id)")
                    }
                }
            }
            await #expect(throws: Broken.self) {
                try await TableMove(from: source, to: target, exchanging: exchange(failingAt: 750)).run()
            }
            #expect(try await target.read { try $0.firstInt("SELECT COUNT(*) FROM thing") } == 700)
            #expect(await Self.code { try await Migrator(Self.migrations).migrate(target, now: 8) } == .schema)
            // Other settings would mix two kinds of rows.
            #expect(await Self.code { _ = try await TableMove(from: source, to: target).run() } == .schema)
            let asked = Counter()
            let whole = TableMove.Exchange(table: "thing", column: "name", batch: 100) { rows in
                asked.add(rows.count)
                return rows.map { row in if case .int(let id) = row["id"] { .text("elsewhere \(id)") } else { .null } }
            }
            let tables = try await TableMove(from: source, to: target, exchanging: whole).run()
            #expect(tables.map(\.rows) == [1_299, 24])
            #expect(asked.value == 599)
            try await Migrator(Self.migrations).migrate(target, now: 8)
            let names = try await target.read { transaction in
                try transaction.rows("SELECT name, id FROM thing ORDER BY id") {
                    $0.text(0) == "elsewhere \($0.int(1))"
                }
            }
            #expect(names == Array(repeating: true, count: 1_299))
        }
    }

    @Test func `a target with rows of its own is refused and stays as it is`() async throws {
        try await Self.withDatabases(rows: 3) { source, target in
            try await target.write { try $0.execute("INSERT INTO word (language, word) VALUES ('x', 'y')") }
            #expect(await Self.code { _ = try await TableMove(from: source, to: target).run() } == .schema)
            #expect(try await target.read { try $0.firstInt("SELECT COUNT(*) FROM thing") } == 0)
            #expect(try await target.read { try TableMove.isUnderWay(in: $0) } == false)
        }
    }

    @Test func `rows that changed after they were copied are found out`() async throws {
        try await Self.withDatabases { source, target in
            let exchange = TableMove.Exchange(table: "word", column: "language", batch: 10) { _ in throw Broken() }
            await #expect(throws: Broken.self) {
                try await TableMove(from: source, to: target, exchanging: exchange).run()
            }
            try await source.write { try $0.execute("UPDATE thing SET note = 'other' WHERE id = 5") }
            let whole = TableMove.Exchange(table: "word", column: "language", batch: 10) { rows in
                rows.map { $0["language"] ?? .null }
            }
            #expect(
                await Self.code { _ = try await TableMove(from: source, to: target, exchanging: whole).run() }
                    == .corrupt)
        }
    }

    private static func code(_ body: () async throws -> Void) async -> SQLError.Code? {
        do {
            try await body()
            return nil
        } catch {
            return (error as? SQLError)?.code
        }
    }
}

/// Counts what is done on other threads.
private final class Counter: Sendable {
    private let count = Mutex(0)
    var value: Int { count.withLock { $0 } }
    func add(_ more: Int) { count.withLock { $0 += more } }
}
