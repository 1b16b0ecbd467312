import GRDB
import GRDBSQLite
import Glibc
import SQLStorage

extension SQLError {
    /// What every call gets after ``SQLiteDatabase/close()``.
    static let closed = SQLError(.connection, "the database is closed")

    /// The connection's last error.
    init(_ handle: OpaquePointer, _ statement: SQLStatement?) {
        self.init(
            Code(sqlite3_extended_errcode(handle), systemError: sqlite3_system_errno(handle)),
            String(cString: sqlite3_errmsg(handle)), statement: statement?.sql)
    }

    /// An error of opening or closing.
    init(_ error: DatabaseError) {
        self.init(
            Code(error.extendedResultCode.rawValue, systemError: 0), error.message ?? "SQLite error",
            statement: error.sql)
    }
}

extension SQLError.Code {
    /// Translates an extended result code. A full disk may show as an I/O error.
    init(_ code: CInt, systemError: CInt) {
        self =
            switch code & 0xff {
            case SQLITE_CONSTRAINT: .constraint(SQLError.Constraint(code))
            case SQLITE_FULL: .full
            case SQLITE_IOERR, SQLITE_CANTOPEN:
                if systemError == ENOSPC || systemError == EDQUOT {
                    .full
                } else {
                    code & 0xff == SQLITE_IOERR ? .io : .connection
                }
            case SQLITE_BUSY, SQLITE_LOCKED: .busy
            case SQLITE_CORRUPT, SQLITE_NOTADB: .corrupt
            case SQLITE_READONLY, SQLITE_PERM, SQLITE_AUTH: .readOnly
            case SQLITE_ERROR, SQLITE_MISUSE, SQLITE_RANGE, SQLITE_MISMATCH, SQLITE_TOOBIG: .syntax
            default: .other
            }
    }
}

extension SQLError.Constraint {
    init(_ code: CInt) {
        self =
            switch code >> 8 {
            case SQLITE_CONSTRAINT_UNIQUE >> 8, SQLITE_CONSTRAINT_PRIMARYKEY >> 8, SQLITE_CONSTRAINT_ROWID >> 8: .unique
            case SQLITE_CONSTRAINT_FOREIGNKEY >> 8: .foreignKey
            case SQLITE_CONSTRAINT_NOTNULL >> 8: .notNull
            case SQLITE_CONSTRAINT_CHECK >> 8: .check
            default: .other
            }
    }
}

// The extended codes are macros that Swift does not see.
private let SQLITE_CONSTRAINT_CHECK: CInt = SQLITE_CONSTRAINT | 1 << 8
private let SQLITE_CONSTRAINT_FOREIGNKEY: CInt = SQLITE_CONSTRAINT | 3 << 8
private let SQLITE_CONSTRAINT_NOTNULL: CInt = SQLITE_CONSTRAINT | 5 << 8
private let SQLITE_CONSTRAINT_PRIMARYKEY: CInt = SQLITE_CONSTRAINT | 6 << 8
private let SQLITE_CONSTRAINT_UNIQUE: CInt = SQLITE_CONSTRAINT | 8 << 8
private let SQLITE_CONSTRAINT_ROWID: CInt = SQLITE_CONSTRAINT | 10 << 8
