import SQLStorage

/// A statement that one session of the server knows by a name.
final class PreparedStatement {
    let name: String
    /// The text, for errors.
    let sql: String

    init(number: Int, sql: String) {
        name = "g\(number)"
        self.sql = sql
    }
}

/// The prepared statements of one connection, found by the text that they were made of.
struct PreparedStatements {
    private var fixed: [UnsafePointer<UInt8>: PreparedStatement] = [:]
    private var built: [String: PreparedStatement] = [:]
    private var count = 0
    /// What the server may forget.
    private(set) var dropped: [PreparedStatement] = []

    /// Texts put together at run time that are kept prepared.
    private static let builtLimit = 128

    /// The prepared statement for a text, and whether the server has still to be told of it.
    mutating func find(_ statement: SQLStatement) -> (statement: PreparedStatement, isUnknown: Bool) {
        switch statement.text {
        case .fixed(let text) where text.hasPointerRepresentation:
            // A literal's address stands for its text: no hashing of characters.
            if let known = fixed[text.utf8Start] { return (known, false) }
            let made = make(text.description)
            fixed[text.utf8Start] = made
            return (made, true)
        case .fixed(let text): return find(text.description)
        case .built(let text): return find(text)
        }
    }

    private mutating func find(_ text: String) -> (statement: PreparedStatement, isUnknown: Bool) {
        if let known = built[text] { return (known, false) }
        if built.count >= Self.builtLimit {
            dropped += built.values
            built.removeAll(keepingCapacity: true)
        }
        let made = make(text)
        built[text] = made
        return (made, true)
    }

    private mutating func make(_ text: String) -> PreparedStatement {
        count += 1
        return PreparedStatement(number: count, sql: text)
    }

    /// Forgets a statement that the server refused to prepare, or never saw.
    mutating func forget(_ statement: PreparedStatement) {
        built = built.filter { $0.value !== statement }
        fixed = fixed.filter { $0.value !== statement }
    }

    /// What the server is to forget, once.
    mutating func takeDropped() -> [PreparedStatement] {
        defer { dropped = [] }
        return dropped
    }
}
