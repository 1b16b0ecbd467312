import CPostgreSQL
import Glibc
import SQLStorage

/// One connection, its prepared statements, and the transaction that runs on it. Belongs to one thread at a time.
///
/// Statements are sent without waiting for those before them; only who needs a result waits, for all that were sent. After
/// an error the server skips what follows up to the next point of synchronisation, so nothing is half done.
final class PostgreSQLConnection: SQLTransaction {
    /// What a transaction may do.
    enum Mode {
        /// On one snapshot for all statements.
        case read
        /// Each statement sees what is committed when it starts.
        case write
    }

    /// What the server still owes an answer to, in the order in which it was sent.
    private enum Expected {
        case preparation(PreparedStatement)
        case statement(PreparedStatement)
        case control
        case commit
        case synchronisation
    }

    let dialect = SQLDialect.postgreSQL

    private let link: ServerLink
    private let statementTimeout: Int
    private var statements = PreparedStatements()
    private var values = BoundValues()
    private var expected: [Expected] = []
    /// Those before this index are answered.
    private var answered = 0
    /// The first error since the last point of synchronisation.
    private var failure: SQLError?
    private var mode = Mode.read
    /// Whether a transaction has begun at the server.
    private var isOpen = false
    /// The scan whose rows are coming in.
    private var incoming: RowScan?
    private var lastUse = ServerLink.now
    /// Whether the connection, although it works, is not to be used again.
    private var mustGo = false

    /// Statements that go out before their success is looked at.
    private static let pipelineLimit = 256
    /// What the server gets beyond the time of a statement to answer, in milliseconds.
    private static let grace = 3_000
    /// Idle for longer, a connection is asked whether it still lives; in milliseconds.
    private static let idleLimit = 15_000

    /// Connects. Blocks.
    init(_ configuration: PostgreSQLConfiguration) throws(SQLError) {
        statementTimeout = configuration.statementTimeout
        link = try ServerLink(configuration.connectionOptions)
        link.silenceLimit = statementTimeout + Self.grace
        let version = PQserverVersion(link.handle)
        guard version >= 130_000 else {
            throw SQLError(.connection, "the server is PostgreSQL \(version / 10_000); 13 or newer is needed")
        }
        guard let encoding = PQparameterStatus(link.handle, "server_encoding"), String(cString: encoding) == "UTF8"
        else {
            throw SQLError(.connection, "the database does not keep text in UTF8: create it with ENCODING 'UTF8'")
        }
        try link.beginPipeline()
        try prepareSession(configuration, version: version)
    }

    /// Whether the connection is of no use any more.
    var isBroken: Bool { link.isBroken || mustGo }

    /// Whether work can be given to the connection, as far as can be told without much ado.
    func isUsable() -> Bool {
        guard !mustGo, link.isAlive() else { return false }
        guard ServerLink.now - lastUse > Self.idleLimit else { return true }
        link.silenceLimit = Self.grace
        defer { link.silenceLimit = statementTimeout + Self.grace }
        do {
            try synchronise()
            lastUse = ServerLink.now
            return true
        } catch {
            return false
        }
    }

    /// What holds for the whole session. In one statement: each would be a round trip.
    private func prepareSession(_ configuration: PostgreSQLConfiguration, version: CInt) throws(SQLError) {
        var settings: [(String, String)] = [
            ("statement_timeout", String(configuration.statementTimeout)),
            ("lock_timeout", String(configuration.lockTimeout)),
            ("idle_in_transaction_session_timeout", String(configuration.idleInTransactionTimeout)),
            // The few large statements there are take milliseconds; compiling them takes longer.
            ("jit", "off"),
            // Where the client has vanished, its locks must not stay.
            ("tcp_keepalives_idle", "5"), ("tcp_keepalives_interval", "3"), ("tcp_keepalives_count", "3"),
            ("tcp_user_timeout", "12000"),
        ]
        if version >= 140_000 { settings.append(("client_connection_check_interval", "2000")) }
        var statement: SQLStatement = """
            SELECT CASE WHEN current_setting('synchronous_commit') IN ('off', 'local')
                THEN set_config('synchronous_commit', 'on', false) END
            """
        for (name, value) in settings { statement.append(", set_config(\(name), \(value), false)") }
        // Outside of a transaction, whose end would take the settings back.
        isOpen = true
        defer { isOpen = false }
        try send(statement)
        try synchronise()
    }

    // MARK: - Transactions

    /// Runs `body` as one transaction; when this returns, it is durable.
    func write<T>(_ body: (any SQLTransaction) throws -> T) throws -> T {
        begin(.write)
        do {
            let value = try body(self)
            try commit()
            forgetDropped()
            return value
        } catch {
            rollBack()
            throw error
        }
    }

    /// Runs `body` on one snapshot and gives its result to `completion` before the server is told that it is over.
    func read<T>(
        _ body: (any SQLTransaction) throws -> T, completion: (Result<T, any Error>) -> Void
    ) {
        begin(.read)
        let result = Result { try body(self) }
        completion(result)
        rollBack()
    }

    private func begin(_ mode: Mode) {
        self.mode = mode
        isOpen = false
        failure = nil
        lastUse = ServerLink.now
        link.silenceLimit = statementTimeout + Self.grace
    }

    private func commit() throws(SQLError) {
        guard isOpen else { return }
        do {
            try sendControl("COMMIT", expecting: .commit)
            try synchronise()
        } catch {
            guard error.code == .connection else { throw error }
            isOpen = false
            throw SQLError(.outcomeUnknown, error.message)
        }
        isOpen = false
    }

    /// Ends the transaction without a trace. What goes wrong here costs the connection, not the caller.
    private func rollBack() {
        guard !isBroken else { return }
        do {
            try finishIncoming()
            // What was sent and not looked at may have failed, and then nothing is done up to the synchronisation.
            if !expected.isEmpty { _ = try? synchronise() }
            guard isOpen, !isBroken else { return }
            isOpen = false
            try sendControl("ROLLBACK", expecting: .control)
            try synchronise()
            forgetDropped()
        } catch {
            mustGo = true
        }
    }

    /// Lets the server forget statements that are not kept any more.
    private func forgetDropped() {
        let dropped = statements.takeDropped()
        guard !dropped.isEmpty else { return }
        do {
            for statement in dropped { try sendControl("DEALLOCATE \(statement.name)", expecting: .control) }
            try synchronise()
        } catch {
            mustGo = true
        }
    }

    // MARK: - Statements

    @discardableResult
    func execute(_ statement: SQLStatement) throws(SQLError) -> Int {
        try finishIncoming()
        try send(statement)
        return try synchronise()
    }

    func enqueue(_ statement: SQLStatement) throws(SQLError) {
        try finishIncoming()
        try send(statement)
        if expected.count - answered >= Self.pipelineLimit { try synchronise() }
    }

    func liftTimeLimits() throws(SQLError) {
        try enqueue("SET LOCAL statement_timeout = 0")
        try enqueue("SET LOCAL lock_timeout = 0")
        link.silenceLimit = nil
    }

    func scan(_ statement: SQLStatement, _ body: (any SQLRow) throws -> Bool) throws {
        try finishIncoming()
        try send(statement)
        try sendSynchronisation()
        // 1. What was sent before: all but the statement and the synchronisation.
        while answered < expected.count - 2 { try receive() }
        // 2. The rows, as they come.
        let scan = RowScan()
        incoming = scan
        _ = PQsetSingleRowMode(link.handle)
        defer { scan.clear() }
        while try advance(scan) { guard try body(scan.row) else { break } }
        // 3. What is left of them, when something else was not asked meanwhile.
        if incoming === scan {
            while let result = try nextIncoming() { PQclear(result) }
            try finish(scan)
        }
        if let failure = scan.failure { throw failure }
    }

    // MARK: - Rows

    /// Goes to the next row; `false` behind the last one.
    private func advance(_ scan: RowScan) throws(SQLError) -> Bool {
        while !scan.advance() {
            if let failure = scan.failure { throw failure }
            guard incoming === scan else { return false }
            if let result = try nextIncoming() { scan.keep(result) } else { try finish(scan) }
        }
        return true
    }

    /// Rows that come in; `nil` at the end of the statement. The caller clears the result.
    private func nextIncoming() throws(SQLError) -> OpaquePointer? {
        while let result = try link.next() {
            switch PQresultStatus(result) {
            case PGRES_SINGLE_TUPLE, PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: return result
            default: note(result, expected[answered])
            }
        }
        answered += 1
        return nil
    }

    /// Takes in the synchronisation behind the rows. An error is the scan's, whoever asks.
    private func finish(_ scan: RowScan) throws(SQLError) {
        incoming = nil
        do {
            try settle()
        } catch {
            scan.failure = error
        }
    }

    /// Makes way for another statement: rows that nobody has read yet are kept.
    private func finishIncoming() throws(SQLError) {
        guard let scan = incoming else { return }
        while let result = try nextIncoming() { scan.keep(result) }
        try finish(scan)
    }

    // MARK: - Sending

    private func send(_ statement: SQLStatement) throws(SQLError) {
        guard !link.isBroken else { throw SQLError(.connection, "the connection is lost") }
        try beginIfNeeded()
        let (prepared, isUnknown) = statements.find(statement)
        if isUnknown {
            guard PQsendPrepare(link.handle, prepared.name, prepared.sql, 0, nil) == 1 else {
                statements.forget(prepared)
                throw link.lost()
            }
            expected.append(.preparation(prepared))
        }
        guard values.bind(statement.values) else {
            throw SQLError(.syntax, "the values are too many or too long", statement: prepared.sql)
        }
        let sent = values.withPointers { count, pointers, lengths, formats in
            PQsendQueryPrepared(link.handle, prepared.name, count, pointers, lengths, formats, 1)
        }
        guard sent == 1 else { throw link.lost() }
        expected.append(.statement(prepared))
    }

    /// The transaction begins with its first statement, in the same packet.
    private func beginIfNeeded() throws(SQLError) {
        guard !isOpen else { return }
        isOpen = true
        switch mode {
        case .read: try sendControl("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", expecting: .control)
        case .write: try sendControl("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", expecting: .control)
        }
    }

    private func sendControl(_ text: String, expecting answer: Expected) throws(SQLError) {
        guard PQsendQueryParams(link.handle, text, 0, nil, nil, nil, nil, 1) == 1 else { throw link.lost() }
        expected.append(answer)
    }

    private func sendSynchronisation() throws(SQLError) {
        guard PQpipelineSync(link.handle) == 1 else { throw link.lost() }
        expected.append(.synchronisation)
        try link.flush()
    }

    // MARK: - Receiving

    /// Waits for everything that was sent. Throws the first error among it; answers how many rows the last statement changed.
    @discardableResult
    private func synchronise() throws(SQLError) -> Int {
        try sendSynchronisation()
        return try settle()
    }

    @discardableResult
    private func settle() throws(SQLError) -> Int {
        var changed = 0
        while answered < expected.count {
            if let count = try receive() { changed = count }
        }
        expected.removeAll(keepingCapacity: true)
        answered = 0
        if let failure {
            self.failure = nil
            throw failure
        }
        return changed
    }

    /// Takes in the answer to what was sent first; how many rows it changed, if it is a statement.
    @discardableResult
    private func receive() throws(SQLError) -> Int? {
        let entry = expected[answered]
        if case .synchronisation = entry {
            try receiveSynchronisation()
            answered += 1
            return nil
        }
        var changed: Int?
        while let result = try link.next() {
            switch PQresultStatus(result) {
            case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY, PGRES_SINGLE_TUPLE:
                if case .statement = entry { changed = Self.changedRows(result) }
                if case .commit = entry, Self.tag(result) != "COMMIT" {
                    failure = failure ?? SQLError(.other, "the server has rolled the transaction back")
                }
                PQclear(result)
            default: note(result, entry)
            }
        }
        answered += 1
        return changed
    }

    private func receiveSynchronisation() throws(SQLError) {
        for _ in 0..<2 {
            guard let result = try link.next() else { continue }
            let status = PQresultStatus(result)
            PQclear(result)
            guard status == PGRES_PIPELINE_SYNC else { throw link.lost() }
            return
        }
        throw link.lost()
    }

    /// Keeps the first error; what was skipped because of it is no other one.
    private func note(_ result: OpaquePointer, _ entry: Expected) {
        defer { PQclear(result) }
        var text: String?
        switch entry {
        case .preparation(let statement):
            statements.forget(statement)
            text = statement.sql
        case .statement(let statement): text = statement.sql
        case .control, .commit, .synchronisation: break
        }
        guard PQresultStatus(result) != PGRES_PIPELINE_ABORTED, failure == nil else { return }
        guard PQresultErrorField(result, PostgreSQLField.state) != nil else {
            failure = link.lost()
            return
        }
        let error = SQLError(result, statement: text)
        // A server that has become a standby, or is going: another connection finds the one to write to.
        if error.code == .connection || error.code == .readOnly { mustGo = true }
        failure = error
    }

    private static func tag(_ result: OpaquePointer) -> String {
        PQcmdStatus(result).map { String(cString: $0) } ?? ""
    }

    private static func changedRows(_ result: OpaquePointer) -> Int {
        guard let tag = PQcmdStatus(result), tag[0] != CChar(UInt8(ascii: "S")), let count = PQcmdTuples(result) else {
            return 0
        }
        return Int(atol(count))
    }
}
