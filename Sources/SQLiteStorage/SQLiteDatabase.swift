import GRDB
import GRDBSQLite
package import SQLStorage
import Synchronization

/// A database in one SQLite file: one writer and several readers in write-ahead mode, each commit flushed (`synchronous=FULL`).
///
/// GRDB's `DatabasePool` opens and closes the connections. Each is lent once, for as long as its thread lives, and driven by SQLite's own
/// calls: a transaction costs one hop to that thread and nothing is built of a row that is not asked for.
package final class SQLiteDatabase: SQLDatabase {
    package let dialect = SQLDialect.sqlite

    private let pool: DatabasePool
    private let writer: SQLiteWorkers
    private let readers: SQLiteWorkers
    private let checkpointPages: Int
    /// Set when a flush failed: nothing may be acknowledged any more, because the kernel may have dropped pages that were not written (reliability D.1).
    private let failure = Mutex<SQLError?>(nil)

    /// Opens or creates the file. Blocks for some milliseconds.
    package init(_ configuration: SQLiteConfiguration) throws(SQLError) {
        try FileSystemKind.refuseNetwork(forFileAt: configuration.path)
        guard LogCoalescing.install() else { throw SQLError(.connection, "SQLite takes no file system layer") }
        let pool = try Self.open(configuration)
        self.pool = pool
        checkpointPages = configuration.checkpointPages
        readers = SQLiteWorkers(limit: configuration.readers) { serve in
            try pool.unsafeRead { database in
                guard let handle = database.sqliteConnection else { throw SQLError.closed }
                serve(SQLiteConnection(handle))
            }
        }
        writer = SQLiteWorkers(limit: 1) { serve in
            try pool.writeWithoutTransaction { database in
                guard let handle = database.sqliteConnection else { throw SQLError.closed }
                serve(SQLiteConnection(handle))
            }
        }
    }

    package func read<T: Sendable>(
        _ body: @escaping @Sendable (any SQLTransaction) throws -> T
    ) async throws -> T {
        try await withUnsafeThrowingContinuation { continuation in
            readers.submit { connection in
                continuation.resume(with: Result { try connection.get().transaction(.begin, body) })
            }
        }
    }

    package func write<T: Sendable>(
        _ body: @escaping @Sendable (any SQLTransaction) throws -> T,
        completion: @escaping @Sendable (Result<T, any Error>) -> Void
    ) {
        writer.submit { [self] connection in
            let result = Result {
                if let failure = failure.withLock({ $0 }) { throw failure }
                return try connection.get().transaction(.beginImmediate, body)
            }
            if case .failure(let error as SQLError) = result { remember(error) }
            completion(result)
            // Behind the answer: a checkpoint delays the next write but never this one's caller.
            if let connection = try? connection.get() { checkpointIfDue(connection) }
        }
    }

    package func close() async throws {
        await readers.close()
        await writer.close()
        do {
            try pool.close()
        } catch let error as DatabaseError {
            throw SQLError(error)
        }
    }

    /// What SQLite finds wrong with the file, nothing when it is sound (REL-30).
    ///
    /// The quick check reads every page; the full one also compares tables with their indexes.
    package func checkIntegrity(full: Bool = false) async throws -> [String] {
        try await read { transaction in
            let findings = try transaction.rows(full ? "PRAGMA integrity_check" : "PRAGMA quick_check") { $0.text(0) }
            return findings == ["ok"] ? [] : findings
        }
    }

    /// Writes a consistent copy of the database to a new file, while others read and write.
    package func backUp(to path: String) async throws {
        try await withUnsafeThrowingContinuation { (continuation: UnsafeContinuation<Void, any Error>) in
            readers.submit { connection in
                continuation.resume(
                    with: Result {
                        try connection.get().execute(SQLStatement("VACUUM INTO $1", [.text(path)]))
                    }.map { _ in })
            }
        }
    }

    // MARK: - Checkpoints

    private func checkpointIfDue(_ connection: SQLiteConnection) {
        guard connection.logPages >= connection.nextCheckpoint(from: checkpointPages) else { return }
        do throws(SQLError) {
            try connection.checkpoint(restarting: connection.logPages >= 16 * checkpointPages)
        } catch {
            remember(error)
        }
    }

    private func remember(_ error: SQLError) {
        guard error.code == .io else { return }
        failure.withLock { $0 = $0 ?? error }
    }

    // MARK: - Opening

    private static func open(_ settings: SQLiteConfiguration) throws(SQLError) -> DatabasePool {
        var configuration = Configuration()
        configuration.maximumReaderCount = settings.readers
        configuration.busyMode = .timeout(settings.busyTimeout)
        configuration.label = "gantry"
        configuration.prepareDatabase { database in
            let isReader = database.configuration.readonly
            let cache = isReader ? settings.readerCache : settings.writerCache
            try database.execute(
                sql: """
                    PRAGMA case_sensitive_like = ON;
                    PRAGMA temp_store = MEMORY;
                    PRAGMA cache_size = -\(cache);
                    PRAGMA mmap_size = \(settings.memoryMap);
                    """)
            // A commit writes every page that it touched whole, and the rows of an instance are small and, in the index
            // of UIDs, far apart: smaller pages write less.
            if !isReader { try database.execute(sql: "PRAGMA page_size = 2048") }
        }
        do {
            let pool = try DatabasePool(path: settings.path, configuration: configuration)
            try pool.writeWithoutTransaction { database in
                // The pool has just chosen NORMAL, which may lose the last commits at power loss.
                try database.execute(
                    sql: """
                        PRAGMA synchronous = FULL;
                        PRAGMA wal_autocheckpoint = 0;
                        PRAGMA journal_size_limit = 67108864;
                        """)
                guard try Int.fetchOne(database, sql: "PRAGMA synchronous") == 2 else {
                    throw SQLError(.connection, "synchronous=FULL was not accepted")
                }
                guard let handle = database.sqliteConnection, LogCoalescing.begin(on: handle) else {
                    throw SQLError(.connection, "the write-ahead log is not open")
                }
            }
            return pool
        } catch let error as SQLError {
            throw error
        } catch let error as DatabaseError {
            throw SQLError(error)
        } catch {
            throw SQLError(.connection, "cannot open the database")
        }
    }
}
