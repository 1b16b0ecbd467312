import GRDBSQLite
import SQLStorage

/// One connection, its cache of prepared statements, and the transaction that runs on it. Belongs to one thread.
final class SQLiteConnection: SQLTransaction {
    /// How a transaction begins.
    enum Beginning {
        /// Takes the snapshot at the first statement.
        case begin
        /// Takes the write lock at once, so that no statement finds it taken later.
        case beginImmediate
    }

    let dialect = SQLDialect.sqlite
    /// Pages in the write-ahead log after the last commit.
    private(set) var logPages = 0

    private let handle: OpaquePointer
    private var fixed: [UnsafePointer<UInt8>: SQLitePreparedStatement] = [:]
    private var built: [String: SQLitePreparedStatement] = [:]
    private var checkpointedPages = 0

    /// Texts put together at run time that are kept prepared.
    private static let builtLimit = 64

    init(_ handle: OpaquePointer) {
        self.handle = handle
        // GRDB's authorizer follows the statements that GRDB prepares. These it does not need to see.
        sqlite3_set_authorizer(handle, nil, nil)
        sqlite3_wal_hook(
            handle,
            { connection, _, _, pages in
                guard let connection else { return SQLITE_OK }
                Unmanaged<SQLiteConnection>.fromOpaque(connection).takeUnretainedValue().logPages = Int(pages)
                return SQLITE_OK
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    /// Lets go of the statements: the connection can be closed afterwards.
    func finalize() {
        sqlite3_wal_hook(handle, nil, nil)
        fixed.removeAll()
        built.removeAll()
    }

    // MARK: - Transactions

    func transaction<T>(_ beginning: Beginning, _ body: (any SQLTransaction) throws -> T) throws -> T {
        switch beginning {
        case .begin: try execute("BEGIN")
        case .beginImmediate: try execute("BEGIN IMMEDIATE")
        }
        do {
            let value = try body(self)
            try execute("COMMIT")
            return value
        } catch {
            // SQLite rolls back by itself after some errors, such as a full disk.
            if sqlite3_get_autocommit(handle) == 0 { try execute("ROLLBACK") }
            throw error
        }
    }

    @discardableResult
    func execute(_ statement: SQLStatement) throws(SQLError) -> Int {
        let prepared = try prepared(statement)
        defer { prepared.reset() }
        try bind(statement, to: prepared)
        let before = sqlite3_total_changes64(handle)
        while true {
            switch sqlite3_step(prepared.handle) {
            case SQLITE_ROW: continue
            case SQLITE_DONE:
                // `sqlite3_changes` keeps its number through statements that change nothing; it does not count what triggers and cascades do.
                guard sqlite3_total_changes64(handle) != before else { return 0 }
                return Int(sqlite3_changes64(handle))
            default: throw SQLError(handle, statement)
            }
        }
    }

    func scan(_ statement: SQLStatement, _ body: (any SQLRow) throws -> Bool) throws {
        let prepared = try prepared(statement)
        defer { prepared.reset() }
        try bind(statement, to: prepared)
        while true {
            switch sqlite3_step(prepared.handle) {
            case SQLITE_ROW: guard try body(prepared) else { return }
            case SQLITE_DONE: return
            default: throw SQLError(handle, statement)
            }
        }
    }

    // MARK: - Checkpoints

    /// From how many pages on the log is to be copied next: the limit, or more while a reader keeps the log from starting over.
    func nextCheckpoint(from limit: Int) -> Int {
        if logPages < checkpointedPages { checkpointedPages = 0 }
        return checkpointedPages == 0 ? limit : checkpointedPages + limit / 4
    }

    /// Copies the log into the file. `restarting` waits for readers, so that the log starts over.
    func checkpoint(restarting: Bool) throws(SQLError) {
        checkpointedPages = logPages
        let mode = restarting ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE
        let code = sqlite3_wal_checkpoint_v2(handle, nil, mode, nil, nil)
        guard code == SQLITE_OK || code == SQLITE_BUSY else { throw SQLError(handle, nil) }
    }

    // MARK: - Statements

    private func prepared(_ statement: SQLStatement) throws(SQLError) -> SQLitePreparedStatement {
        switch statement.text {
        case .fixed(let text) where text.hasPointerRepresentation:
            // A literal's address stands for its text: no hashing of characters.
            if let known = fixed[text.utf8Start] {
                return known.isBusy ? try prepare(statement) : known.taken()
            }
            let prepared = try prepare(statement)
            fixed[text.utf8Start] = prepared
            return prepared
        case .fixed(let text):
            return try preparedBuilt(text.description, statement)
        case .built(let text):
            return try preparedBuilt(text, statement)
        }
    }

    private func preparedBuilt(_ text: String, _ statement: SQLStatement) throws(SQLError) -> SQLitePreparedStatement {
        if let known = built[text] {
            return known.isBusy ? try prepare(statement) : known.taken()
        }
        let prepared = try prepare(statement)
        if built.count >= Self.builtLimit { built.removeAll(keepingCapacity: true) }
        built[text] = prepared
        return prepared
    }

    private func prepare(_ statement: SQLStatement) throws(SQLError) -> SQLitePreparedStatement {
        var text = statement.sql
        var prepared: OpaquePointer?
        let code = text.withUTF8 { text in
            text.withMemoryRebound(to: CChar.self) { text in
                sqlite3_prepare_v3(
                    handle, text.baseAddress, CInt(text.count), UInt32(SQLITE_PREPARE_PERSISTENT), &prepared, nil)
            }
        }
        guard code == SQLITE_OK else { throw SQLError(handle, statement) }
        guard let prepared else { throw SQLError(.syntax, "there is no statement", statement: statement.sql) }
        return SQLitePreparedStatement(prepared)
    }

    private func bind(_ statement: SQLStatement, to prepared: SQLitePreparedStatement) throws(SQLError) {
        guard prepared.placeholders.allSatisfy({ $0 < statement.values.count }) else {
            throw SQLError(.syntax, "there are placeholders without a value", statement: statement.sql)
        }
        for (index, number) in prepared.placeholders.enumerated() {
            let code = prepared.bind(statement.values[number], at: CInt(index + 1))
            guard code == SQLITE_OK else { throw SQLError(handle, statement) }
        }
    }
}
