/// How each database describes itself.
extension SQLDialect {
    /// The names of all tables of ours, in their order.
    var tables: SQLStatement {
        switch product {
        case .sqlite:
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~' ORDER BY name"
        case .postgreSQL:
            """
            SELECT table_name::TEXT COLLATE "C" FROM information_schema.tables
            WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' ORDER BY 1
            """
        }
    }

    /// The columns of a table: name, type, place in the primary key (0 or NULL outside of it), whether rows are numbered by it.
    func columns(of table: String) -> SQLStatement {
        switch product {
        case .sqlite:
            """
            SELECT name, type, pk, CASE WHEN pk = 1 AND type = 'INTEGER' THEN 1 ELSE 0 END
            FROM pragma_table_info(\(table))
            """
        case .postgreSQL:
            """
            SELECT c.column_name::TEXT, c.data_type::TEXT, k.ordinal_position::BIGINT,
                CASE WHEN c.is_identity = 'YES' THEN 1 ELSE 0 END
            FROM information_schema.columns c LEFT JOIN
                (SELECT u.column_name, u.ordinal_position FROM information_schema.table_constraints t
                    JOIN information_schema.key_column_usage u USING (constraint_schema, constraint_name)
                    WHERE t.constraint_type = 'PRIMARY KEY' AND t.table_schema = current_schema()
                        AND t.table_name::TEXT = \(table)) k ON k.column_name = c.column_name
            WHERE c.table_schema = current_schema() AND c.table_name::TEXT = \(table)
            """
        }
    }

    /// Behind a column of text: byte by byte, whatever the column was declared as.
    var inByteOrder: StaticString {
        switch product {
        case .sqlite: ""
        case .postgreSQL: " COLLATE \"C\""
        }
    }

    /// The highest number that rows of the table ever had, as far as the database knows.
    func lastNumber(_ table: SQLIdentifier, _ column: SQLIdentifier, in transaction: any SQLTransaction) throws -> Int64
    {
        let highest = try transaction.firstInt("SELECT MAX(\(name: column)) FROM \(name: table)") ?? 0
        switch product {
        case .sqlite:
            // Only there when some table never uses a number again.
            guard try transaction.exists("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'") else {
                return highest
            }
            let given = try transaction.firstInt("SELECT MAX(seq) FROM sqlite_sequence WHERE name = \(table.name)")
            return max(highest, given ?? 0)
        case .postgreSQL:
            let given = try transaction.firstInt(
                "SELECT pg_sequence_last_value(pg_get_serial_sequence(\(table.name), \(column.name))::regclass)")
            return max(highest, given ?? 0)
        }
    }

    /// Lets the next row have the number behind this one. Needed where numbers are not taken from the rows that are there.
    func setLastNumber(
        _ number: Int64, _ table: SQLIdentifier, _ column: SQLIdentifier, in transaction: any SQLTransaction
    ) throws {
        guard product == .postgreSQL, number > 0 else { return }
        try transaction.execute("SELECT setval(pg_get_serial_sequence(\(table.name), \(column.name)), \(number))")
    }
}
