import Crypto

/// Copies all tables of one database into another that was migrated to the same schema, and compares them afterwards.
///
/// Tables and columns are those that the databases name, so what later migrations add goes along. Rows are copied in the order of their
/// primary keys, some hundreds in one transaction; a move that was broken off goes on behind the last row that arrived.
package struct TableMove: Sendable {
    /// What has been moved of one table.
    package struct Table: Hashable, Sendable, Codable {
        package var name: String
        package var rows: Int
        /// SHA-256 of all values of all rows, but for a column that was exchanged, in hexadecimal.
        package var digest: String
    }

    /// A column whose values are not copied but made anew, such as the place of something that moves, too.
    package struct Exchange: Sendable {
        package var table: String
        package var column: String
        /// Rows that are exchanged, and then written, in one go.
        package var batch: Int64
        /// Gets rows, as values by the names of their columns, and answers the column's new values in the same order. It is asked again for
        /// rows whose first answer was lost.
        package var values: @Sendable ([[String: SQLValue]]) async throws -> [SQLValue]

        package init(
            table: String, column: String, batch: Int64,
            values: @escaping @Sendable ([[String: SQLValue]]) async throws -> [SQLValue]
        ) {
            self.table = table
            self.column = column
            self.batch = batch
            self.values = values
        }
    }

    /// The table of the target that says that it is being filled. It is gone when all is there.
    static let marker = "table_move"

    private let source: any SQLDatabase
    private let target: any SQLDatabase
    private let exchange: Exchange?

    /// Rows in one transaction, and about how many bytes of them.
    private static let batch: Int64 = 500
    private static let batchSize = 8 << 20

    /// - Parameters:
    ///   - source: Nobody else may write to it during the move.
    ///   - target: Migrated, and empty but for what an earlier move from the same source brought.
    package init(from source: any SQLDatabase, to target: any SQLDatabase, exchanging exchange: Exchange? = nil) {
        self.source = source
        self.target = target
        self.exchange = exchange
    }

    /// Whether the database holds a part of what is being moved into it.
    package static func isUnderWay(in transaction: any SQLTransaction) throws -> Bool {
        try transaction.rows(transaction.dialect.tables) { $0.text(0) }.contains(marker)
    }

    /// The rows that there are to move.
    package func rowCount() async throws -> Int {
        try await source.read { transaction in
            try SQLTable.all(in: transaction).reduce(0) { try $0 + Self.count($1, in: transaction) }
        }
    }

    /// Moves and compares everything. What was moved before counts as progress, too.
    ///
    /// - Parameter progress: is told how many more rows have arrived.
    package func run(progress: @Sendable (Int) -> Void = { _ in }) async throws -> [Table] {
        // 1. Both sides must be alike.
        let tables = try await source.read { try SQLTable.all(in: $0) }
        let others = try await target.read { try SQLTable.all(in: $0) }
        guard tables.count == others.count, zip(tables, others).allSatisfy({ $0.isLike($1) }) else {
            throw SQLError(.schema, "the databases do not have the same tables: bring both up to date first")
        }
        try await claim(tables)
        // 2. The rows.
        for (table, other) in zip(tables, others) {
            try await copy(table, progress)
            for column in other.columns where column.isNumbered {
                let last = try await source.read { try $0.dialect.lastNumber(table.name, column.name, in: $0) }
                try await target.write { try $0.dialect.setLastNumber(last, table.name, column.name, in: $0) }
            }
        }
        // 3. Whether they have all arrived as they are.
        var moved: [Table] = []
        for table in tables {
            let compared = table.without(exchange)
            async let here = Self.summary(of: compared, in: source)
            async let there = Self.summary(of: compared, in: target)
            let (left, right) = try await (here, there)
            guard left == right else {
                throw SQLError(
                    .corrupt,
                    "the rows of \(left.name) are not the same on both sides (\(left.rows) and \(right.rows)): one of them has "
                        + "changed since the move began; empty the target and begin again")
            }
            moved.append(left)
        }
        try await target.write { try $0.execute("DROP TABLE table_move") }
        return moved
    }

    // MARK: - Steps

    /// Notes in the target where its rows come from, or finds it noted.
    private func claim(_ tables: [SQLTable]) async throws {
        // When an archive was made tells it from others.
        let times = try await source.read { transaction in
            try transaction.rows("SELECT applied_at FROM schema_migration ORDER BY position") { $0.text(0) }
        }
        let origin = times.joined(separator: " ") + (exchange.map { " \($0.column)" } ?? "")
        try await target.write { transaction in
            let dialect = transaction.dialect
            if let lock = dialect.lock("table_move") { try transaction.execute(lock) }
            if try Self.isUnderWay(in: transaction) {
                guard try transaction.firstText("SELECT origin FROM table_move") == origin else {
                    throw SQLError(
                        .schema, "the database has a part of another archive, or of a move with other settings")
                }
                return
            }
            for table in tables where try transaction.exists("SELECT 1 FROM \(name: table.name) LIMIT 1") {
                throw SQLError(.schema, "the database is not empty: there are rows in \(table.name.name)")
            }
            try transaction.execute("CREATE TABLE table_move (origin \(raw: dialect.text) PRIMARY KEY)")
            try transaction.execute("INSERT INTO table_move (origin) VALUES (\(origin))")
        }
    }

    private func copy(_ table: SQLTable, _ progress: @Sendable (Int) -> Void) async throws {
        var last = try await target.read { transaction in
            try transaction.first(table.lastKey(in: transaction.dialect)) { row in
                table.key.enumerated().map { $1.kind.value(row, $0) }
            }
        }
        let done = try await target.read { try Self.count(table, in: $0) }
        if done > 0 { progress(done) }
        let exchange = exchange.flatMap { $0.table == table.name.name ? $0 : nil }
        let batch = exchange?.batch ?? Self.batch
        let positions = table.key.map { key in table.columns.firstIndex(of: key) ?? 0 }
        while true {
            try Task.checkCancellation()
            var rows = try await source.read { [last] transaction in
                var rows: [[SQLValue]] = []
                var size = 0
                try transaction.scan(table.page(behind: last, limit: batch, in: transaction.dialect)) { row in
                    let values = table.values(of: row)
                    rows.append(values)
                    size += values.reduce(0) { $0 + $1.size }
                    return size < Self.batchSize
                }
                return rows
            }
            guard let end = rows.last else { return }
            last = positions.map { end[$0] }
            if let exchange { try await replace(exchange, in: &rows, of: table) }
            try await target.write { [rows] transaction in
                for row in rows { try transaction.enqueue(table.insertion(of: row)) }
            }
            progress(rows.count)
        }
    }

    private func replace(_ exchange: Exchange, in rows: inout [[SQLValue]], of table: SQLTable) async throws {
        let names = table.columns.map(\.name.name)
        guard let column = names.firstIndex(of: exchange.column) else {
            throw SQLError(.schema, "\(exchange.table) has no column \(exchange.column)")
        }
        let values = try await exchange.values(rows.map { Dictionary(uniqueKeysWithValues: zip(names, $0)) })
        guard values.count == rows.count else { throw SQLError(.other, "values are missing for \(exchange.column)") }
        for (index, value) in values.enumerated() { rows[index][column] = value }
    }

    // MARK: - Comparing

    private static func count(_ table: SQLTable, in transaction: any SQLTransaction) throws -> Int {
        try transaction.liftTimeLimits()
        return Int(try transaction.firstInt("SELECT COUNT(*) FROM \(name: table.name)") ?? 0)
    }

    /// Rows that are read at a time, so that they need not all be in memory.
    private static let page: Int64 = 1_000

    /// How many rows there are, and what is in them.
    private static func summary(of table: SQLTable, in database: any SQLDatabase) async throws -> Table {
        let keys = table.key.compactMap { key in table.columns.firstIndex(of: key) }
        return try await database.read { transaction in
            try transaction.liftTimeLimits()
            var hash = SHA256()
            var count = 0
            var last: [SQLValue]?
            while true {
                var rows: Int64 = 0
                try transaction.forEach(table.page(behind: last, limit: page, in: transaction.dialect)) { row in
                    rows += 1
                    let values = table.values(of: row)
                    for value in values { hash.update(value) }
                    last = keys.map { values[$0] }
                }
                count += Int(rows)
                guard rows == page else { break }
            }
            let digest = hash.finalize().map { byte in
                String(byte >> 4, radix: 16) + String(byte & 0xF, radix: 16)
            }
            return Table(name: table.name.name, rows: count, digest: digest.joined())
        }
    }
}

extension SQLTable {
    /// Whether the same rows fit into both.
    fileprivate func isLike(_ other: SQLTable) -> Bool {
        name == other.name && key.map(\.name) == other.key.map(\.name)
            && columns.map(\.name) == other.columns.map(\.name) && columns.map(\.kind) == other.columns.map(\.kind)
    }

    /// The table as it is compared where one of its columns is another on each side.
    fileprivate func without(_ exchange: TableMove.Exchange?) -> SQLTable {
        guard let exchange, exchange.table == name.name else { return self }
        var table = self
        table.columns.removeAll { $0.name.name == exchange.column }
        return table
    }

    /// The values of a row of ``page(behind:limit:in:)``.
    fileprivate func values(of row: any SQLRow) -> [SQLValue] {
        columns.enumerated().map { $1.kind.value(row, $0) }
    }

    /// The primary key's columns, compared alike on both sides.
    private func keyColumns(in dialect: SQLDialect, _ direction: StaticString = "") -> SQLStatement {
        key.map { column -> SQLStatement in
            let order: StaticString = column.kind == .text ? dialect.inByteOrder : ""
            return "\(name: column.name)\(raw: order)\(raw: direction)"
        }.joined(by: ", ")
    }

    fileprivate func lastKey(in dialect: SQLDialect) -> SQLStatement {
        """
        SELECT \(names: key.map(\.name)) FROM \(name: name)
        ORDER BY \(keyColumns(in: dialect, " DESC")) LIMIT 1
        """
    }

    fileprivate func page(behind last: [SQLValue]?, limit: Int64, in dialect: SQLDialect) -> SQLStatement {
        var statement: SQLStatement = "SELECT \(names: columns.map(\.name)) FROM \(name: name)"
        if let last { statement.append(" WHERE (\(keyColumns(in: dialect))) > (\(list: last))") }
        statement.append(" ORDER BY \(keyColumns(in: dialect)) LIMIT \(limit)")
        return statement
    }

    fileprivate func insertion(of row: [SQLValue]) -> SQLStatement {
        "INSERT INTO \(name: name) (\(names: columns.map(\.name))) VALUES (\(list: row))"
    }
}

extension SQLValue {
    /// About how many bytes it takes.
    fileprivate var size: Int {
        switch self {
        case .null, .int, .double: 8
        case .text(let text): text.utf8.count
        case .bytes(let bytes): bytes.count
        }
    }
}

extension SHA256 {
    /// A value by its kind, its length and its bytes.
    fileprivate mutating func update(_ value: SQLValue) {
        switch value {
        case .null: add(0, UnsafeRawBufferPointer(start: nil, count: 0))
        case .int(let number): withUnsafeBytes(of: number.littleEndian) { add(1, $0) }
        case .double(let number): withUnsafeBytes(of: number.bitPattern.littleEndian) { add(2, $0) }
        case .text(var text): text.withUTF8 { add(3, UnsafeRawBufferPointer($0)) }
        case .bytes(let bytes): bytes.withUnsafeBytes { add(4, $0) }
        }
    }

    private mutating func add(_ kind: UInt8, _ bytes: UnsafeRawBufferPointer) {
        withUnsafeBytes(of: (UInt64(bytes.count) << 8 | UInt64(kind)).littleEndian) { update(bufferPointer: $0) }
        update(bufferPointer: bytes)
    }
}
