/// One named, ordered step of the schema. Never edited once it has landed.
package struct Migration: Sendable {
    /// Unique among all migrations, such as `"0001 instances"`.
    package let name: String
    /// The step's statements in the database's dialect; none has values.
    package let statements: @Sendable (SQLDialect) -> [SQLStatement]

    package init(_ name: String, _ statements: @escaping @Sendable (SQLDialect) -> [SQLStatement]) {
        self.name = name
        self.statements = statements
    }

    /// FNV-1a of the statements' text, kept with the applied migration so that an edit is noticed.
    package func checksum(in dialect: SQLDialect) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for statement in statements(dialect) {
            for byte in statement.sql.utf8 {
                hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
            }
            hash = (hash ^ 0xff) &* 0x100_0000_01b3
        }
        return String(hash, radix: 16)
    }
}
