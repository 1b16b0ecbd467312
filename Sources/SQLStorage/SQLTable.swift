/// A table as the database describes it: what a copy of all tables has to know.
package struct SQLTable: Hashable, Sendable {
    /// What a column holds.
    package enum Kind: Hashable, Sendable { case integer, double, text, bytes }

    /// A column of a table.
    package struct Column: Hashable, Sendable {
        package var name: SQLIdentifier
        /// What it holds.
        package var kind: Kind
        /// Whether the database numbers the rows by it.
        package var isNumbered: Bool
    }

    /// What it is called.
    package var name: SQLIdentifier
    /// In the order of their names: databases that were migrated in steps may have them in another.
    package var columns: [Column]
    /// The columns of the primary key, in its order.
    package var key: [Column]

    /// All tables but those of migrations and moves, in the order of their names.
    package static func all(in transaction: any SQLTransaction) throws -> [SQLTable] {
        let names = try transaction.rows(transaction.dialect.tables) { $0.text(0) }
        return try names.filter { $0 != "schema_migration" && $0 != TableMove.marker }
            .map { try SQLTable($0, in: transaction) }
    }

    private init(_ name: String, in transaction: any SQLTransaction) throws {
        guard let identifier = SQLIdentifier(name) else {
            throw SQLError(.schema, "the table \(name) is not one of ours")
        }
        self.name = identifier
        let found = try transaction.rows(transaction.dialect.columns(of: name)) { row in
            guard let column = SQLIdentifier(row.text(0)), let kind = Kind(declared: row.text(1)) else {
                throw SQLError(.schema, "the table \(name) has a column of another kind")
            }
            return (position: row.int(2), column: Column(name: column, kind: kind, isNumbered: row.bool(3)))
        }
        columns = found.map(\.column).sorted { $0.name.name < $1.name.name }
        key = found.filter { $0.position > 0 }.sorted { $0.position < $1.position }.map(\.column)
        guard !key.isEmpty else { throw SQLError(.schema, "the table \(name) has no primary key") }
    }
}

extension SQLTable.Kind {
    fileprivate init?(declared type: String) {
        switch type.lowercased() {
        case "integer", "bigint", "smallint": self = .integer
        case "double precision", "real": self = .double
        case let type where type.hasPrefix("text"): self = .text
        case "blob", "bytea": self = .bytes
        default: return nil
        }
    }

    /// A value of this kind in a row.
    func value(_ row: any SQLRow, _ column: Int) -> SQLValue {
        guard !row.isNull(column) else { return .null }
        return switch self {
        case .integer: .int(row.int(column))
        case .double: .double(row.double(column))
        case .text: .text(row.text(column))
        case .bytes: .bytes(row.bytes(column))
        }
    }
}
