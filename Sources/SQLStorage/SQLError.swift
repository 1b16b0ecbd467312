/// Why the database refused.
package struct SQLError: Error, Hashable {
    /// What kind of refusal, as callers tell them apart.
    package enum Code: Hashable, Sendable {
        /// A rule of the schema was broken.
        case constraint(Constraint)
        /// Another connection holds the lock for longer than the timeout, no connection became free, or the database was too slow.
        case busy
        /// Two transactions cannot be put in order: run the closure again.
        case serialization
        /// No space left: the disk, or the database's own limit. Answered with 507.
        case full
        /// The file is damaged, or not a database.
        case corrupt
        /// The file or folder cannot be written.
        case readOnly
        /// Reading or writing the file failed; what a failed fsync gives.
        case io
        /// Closed, or cannot be opened or reached. The transaction has left no trace.
        case connection
        /// The connection broke while the commit was under way: it may have gone through.
        case outcomeUnknown
        /// The file lies on a network file system, where locks and memory maps cannot be trusted.
        case networkFileSystem
        /// The statement is wrong: a bug of ours.
        case syntax
        /// The schema was written by a newer version, or an applied migration was changed.
        case schema
        /// Anything else.
        case other
    }

    /// Which rule of the schema was broken.
    package enum Constraint: Hashable, Sendable { case unique, foreignKey, notNull, check, other }

    package var code: Code
    /// The database's words: names of tables and columns, never a value.
    package var message: String
    /// The statement's text, without values.
    package var statement: String?

    package init(_ code: Code, _ message: String, statement: String? = nil) {
        self.code = code
        self.message = message
        self.statement = statement
    }
}

extension SQLError: CustomStringConvertible {
    package var description: String {
        statement.map { "\(code): \(message) in \($0)" } ?? "\(code): \(message)"
    }
}
