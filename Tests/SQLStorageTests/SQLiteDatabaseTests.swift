import Foundation
import GantryTesting
import SQLStorage
import SQLiteStorage
import Testing

@Suite struct SQLiteDatabaseTests {
    @Test(arguments: SQLDatabaseContract.allCases)
    func `keeps the contract`(clause: SQLDatabaseContract) async throws {
        try await withFile { path in
            let database = try SQLiteDatabase(SQLiteConfiguration(path: path, checkpointPages: 8))
            try await clause.check(database)
            try await database.close()
        }
    }

    @Test func `flushes each commit`() async throws {
        try await withFile { path in
            let database = try SQLiteDatabase(SQLiteConfiguration(path: path))
            let (synchronous, journal) = try await database.write { transaction in
                (try transaction.firstInt("PRAGMA synchronous"), try transaction.firstText("PRAGMA journal_mode"))
            }
            #expect(synchronous == 2)
            #expect(journal == "wal")
            #expect(try await database.checkIntegrity() == [])
            try await database.close()
        }
    }

    @Test func `keeps what was written over a close, and refuses work behind it`() async throws {
        try await withFile { path in
            let first = try SQLiteDatabase(SQLiteConfiguration(path: path))
            try await first.write { transaction in
                try transaction.execute("CREATE TABLE item (id INTEGER)")
                try transaction.execute("INSERT INTO item VALUES (7)")
            }
            try await first.close()
            await #expect(throws: SQLError.self) { try await first.read { _ in } }
            let second = try SQLiteDatabase(SQLiteConfiguration(path: path))
            #expect(try await second.read { try $0.firstInt("SELECT id FROM item") } == 7)
            try await second.close()
        }
    }

    @Test func `refuses a file that is not a database`() async throws {
        try await withFile { path in
            try Data(repeating: 65, count: 8192).write(to: URL(fileURLWithPath: path))
            #expect { try SQLiteDatabase(SQLiteConfiguration(path: path)) } throws: {
                ($0 as? SQLError)?.code == .corrupt
            }
        }
    }

    @Test func `tells a full database`() async throws {
        try await withFile { path in
            let database = try SQLiteDatabase(SQLiteConfiguration(path: path))
            _ = try await database.write { try $0.execute("CREATE TABLE item (bytes BLOB)") }
            await #expect {
                try await database.write { transaction in
                    try transaction.forEach("PRAGMA max_page_count = 4") { _ in }
                    try transaction.execute("INSERT INTO item VALUES (\([UInt8](repeating: 1, count: 100_000)))")
                }
            } throws: {
                ($0 as? SQLError)?.code == .full
            }
            #expect(try await database.read { try $0.firstInt("SELECT count(*) FROM item") } == 0)
            try await database.close()
        }
    }

    private func withFile(_ body: (String) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("gantry-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await body(folder.appendingPathComponent("index.sqlite").path)
    }
}
