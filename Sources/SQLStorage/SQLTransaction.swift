/// One open transaction: what index, outbox and audit write through. Valid inside its closure only.
package protocol SQLTransaction {
    /// What differs between SQLite and PostgreSQL.
    var dialect: SQLDialect { get }

    /// Runs a statement whose rows, if any, are of no interest, and answers how many rows it changed.
    @discardableResult
    func execute(_ statement: SQLStatement) throws(SQLError) -> Int

    /// Runs a statement of which nobody needs to know more than that it succeeded. What makes it fail is thrown by this call
    /// or, where the database is asked over a network, by a later one or the commit, which then has not happened.
    func enqueue(_ statement: SQLStatement) throws(SQLError)

    /// Lets this transaction take as long as it needs: for migrations, checks and moves of whole tables.
    func liftTimeLimits() throws(SQLError)

    /// Calls `body` with each row in turn until it answers `false`. The row is valid inside the call only.
    func scan(_ statement: SQLStatement, _ body: (any SQLRow) throws -> Bool) throws
}

extension SQLTransaction {
    package func enqueue(_ statement: SQLStatement) throws(SQLError) { try execute(statement) }

    package func liftTimeLimits() throws(SQLError) {}

    /// Calls `body` with each row. The row is valid inside the call only.
    package func forEach(_ statement: SQLStatement, _ body: (any SQLRow) throws -> Void) throws {
        try scan(statement) { row in
            try body(row)
            return true
        }
    }

    /// All rows, each made into a value.
    package func rows<T>(_ statement: SQLStatement, _ make: (any SQLRow) throws -> T) throws -> [T] {
        var values: [T] = []
        try scan(statement) { row in
            values.append(try make(row))
            return true
        }
        return values
    }

    /// The first row made into a value, or `nil` when there is none.
    package func first<T>(_ statement: SQLStatement, _ make: (any SQLRow) throws -> T) throws -> T? {
        var value: T?
        try scan(statement) { row in
            value = try make(row)
            return false
        }
        return value
    }

    /// The first column of the first row as an integer, `nil` when there is no row or it is NULL.
    package func firstInt(_ statement: SQLStatement) throws -> Int64? {
        try first(statement) { $0.optionalInt(0) } ?? nil
    }

    /// The first column of the first row as text, `nil` when there is no row or it is NULL.
    package func firstText(_ statement: SQLStatement) throws -> String? {
        try first(statement) { $0.optionalText(0) } ?? nil
    }

    /// Whether there is any row.
    package func exists(_ statement: SQLStatement) throws -> Bool {
        try first(statement) { _ in true } ?? false
    }
}
