import CPostgreSQL
import SQLStorage

extension SQLError {
    /// What every call gets after ``PostgreSQLDatabase/close()``.
    static let closed = SQLError(.connection, "the database is closed")

    /// What a result says that is an error.
    init(_ result: OpaquePointer, statement: String?) {
        let state = PQresultErrorField(result, PostgreSQLField.state).map { String(cString: $0) } ?? ""
        self.init(SQLError.Code(state: state), "", statement: statement)
        // Words that hold no value of a row. The rest, with DETAIL and CONTEXT, may quote one.
        if Self.isQuotable(state), let message = PQresultErrorField(result, PostgreSQLField.message) {
            self.message = "\(String(cString: message)) (\(state))"
        } else {
            self.message = state.isEmpty ? "the server gives no reason" : "the server refuses with \(state)"
        }
    }

    /// The last failure of a connection, in libpq's words: places and reasons.
    init(connection handle: OpaquePointer?) {
        let words = handle.flatMap { PQerrorMessage($0) }.map { String(cString: $0) } ?? ""
        let lines = words.split(separator: "\n").map { $0.drop { $0 == " " || $0 == "\t" } }.filter { !$0.isEmpty }
        self.init(.connection, lines.isEmpty ? "the connection to the server is lost" : lines.joined(separator: "; "))
    }

    /// Whether messages of this SQLSTATE name nothing but tables, columns, rules and reasons.
    private static func isQuotable(_ state: String) -> Bool {
        // Class 22, data exceptions, quotes the value that it complains about; what users raise may hold anything.
        ["08", "0A", "23", "25", "26", "28", "3D", "40", "42", "53", "54", "55", "57", "58"].contains(state.prefix(2))
    }
}

extension SQLError.Code {
    /// Translates an SQLSTATE (PostgreSQL's documentation, appendix A).
    init(state: String) {
        self =
            switch state {
            case "23505": .constraint(.unique)
            case "23503": .constraint(.foreignKey)
            case "23502": .constraint(.notNull)
            case "23514": .constraint(.check)
            case "40003": .outcomeUnknown
            case "40001", "40P01": .serialization
            // A transaction is not at fault where an earlier one of its statements was.
            case "25P02": .other
            case "25006", "42501": .readOnly
            // The server ended the session: idle for too long in a transaction, or at all.
            case "25P03", "57P05", "57P01", "57P02", "57P03", "57P04": .connection
            // What the statement was prepared for is not there any more: another session may have it.
            case "0A000", "26000": .connection
            case "53100": .full
            case "55P03", "55006", "57014": .busy
            case "08P01": .syntax
            case "58030": .io
            case "XX001", "XX002": .corrupt
            default:
                switch state.prefix(2) {
                case "23": .constraint(.other)
                case "40": .serialization
                case "08": .connection
                case "42", "3F": .syntax
                case "53": .busy
                case "28", "3D": .connection
                default: .other
                }
            }
    }
}

/// Fields of an error, which are macros that Swift sees as characters' numbers.
enum PostgreSQLField {
    /// PG_DIAG_SQLSTATE
    static let state = CInt(UInt8(ascii: "C"))
    /// PG_DIAG_MESSAGE_PRIMARY
    static let message = CInt(UInt8(ascii: "M"))
}
