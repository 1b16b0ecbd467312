/// A database that holds index, outbox and audit: reads and writes, each one transaction.
///
/// Bodies run on threads of the database's own, never on the cooperative pool, so they may block; they must not call back into the
/// database.
package protocol SQLDatabase: Sendable {
    /// What differs between SQLite and PostgreSQL.
    var dialect: SQLDialect { get }

    /// Runs `body` on one consistent snapshot. Reads run in parallel with each other and with a write.
    func read<T: Sendable>(_ body: @escaping @Sendable (any SQLTransaction) throws -> T) async throws -> T

    /// Runs `body` as one transaction and calls `completion` when it is durable, or has left no trace because `body` threw. Both run on the
    /// database's thread: who has nothing else to wait for is spared a change of threads.
    func write<T: Sendable>(
        _ body: @escaping @Sendable (any SQLTransaction) throws -> T,
        completion: @escaping @Sendable (Result<T, any Error>) -> Void)

    /// Finishes what runs and gives the connections back. Later calls fail with ``SQLError/Code-swift.enum/connection``.
    func close() async throws
}

extension SQLDatabase {
    /// Runs `body` as one transaction that is durable when this returns, and leaves no trace when `body` throws.
    @discardableResult
    package func write<T: Sendable>(
        _ body: @escaping @Sendable (any SQLTransaction) throws -> T
    ) async throws -> T {
        try await withUnsafeThrowingContinuation { continuation in
            write(body) { continuation.resume(with: $0) }
        }
    }
}
