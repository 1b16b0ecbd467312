import Glibc
package import Logging
package import SQLStorage

/// A database on a PostgreSQL server, which several processes may use at the same time.
///
/// Reads see one snapshot (REPEATABLE READ); writes run side by side (READ COMMITTED), and who needs to be alone asks for a lock.
/// Commits wait until the server has flushed them, whatever its default is. Needs a connection that is its own: a pooler between
/// must work by sessions, not by transactions.
package final class PostgreSQLDatabase: SQLDatabase {
    package let dialect = SQLDialect.postgreSQL

    private let writers: PostgreSQLWorkers
    private let readers: PostgreSQLWorkers

    /// How often a transaction runs that collides with others.
    private static let attempts = 5

    /// Opens the first connection, so that a wrong address or password shows at once. Blocks, for the time-out of a connection at most.
    package init(_ configuration: PostgreSQLConfiguration, logger: Logger) throws(SQLError) {
        let connection = try PostgreSQLConnection(configuration)
        let outage = ServerOutage(patience: configuration.waitTimeout, logger: logger)
        writers = PostgreSQLWorkers(configuration, limit: configuration.writers, outage: outage, first: connection)
        readers = PostgreSQLWorkers(configuration, limit: configuration.readers, outage: outage)
    }

    deinit {
        readers.beginClosing()
        writers.beginClosing()
    }

    package func read<T: Sendable>(
        _ body: @escaping @Sendable (any SQLTransaction) throws -> T
    ) async throws -> T {
        try await withUnsafeThrowingContinuation { (continuation: UnsafeContinuation<T, any Error>) in
            readers.submit { connection in
                let open: PostgreSQLConnection
                switch connection {
                case .failure(let error):
                    continuation.resume(throwing: error)
                    return .done
                case .success(let usable): open = usable
                }
                var verdict = PostgreSQLWorkers.Verdict.done
                open.read(body) { result in
                    if case .failure(let error as SQLError) = result, error.code == .connection {
                        verdict = .again(error)
                    } else {
                        continuation.resume(with: result)
                    }
                }
                return verdict
            }
        }
    }

    package func write<T: Sendable>(
        _ body: @escaping @Sendable (any SQLTransaction) throws -> T,
        completion: @escaping @Sendable (Result<T, any Error>) -> Void
    ) {
        writers.submit { connection in
            do {
                completion(.success(try Self.write(body, on: connection.get())))
            } catch let error as SQLError where error.code == .connection {
                guard case .failure = connection else { return .again(error) }
                completion(.failure(error))
            } catch {
                completion(.failure(error))
            }
            return .done
        }
    }

    package func close() async throws {
        await readers.close()
        await writers.close()
    }

    /// Runs the transaction, again where another one came in between.
    private static func write<T>(
        _ body: (any SQLTransaction) throws -> T, on connection: PostgreSQLConnection
    ) throws -> T {
        for attempt in 1..<attempts {
            do {
                return try connection.write(body)
            } catch let error as SQLError where error.code == .serialization && !connection.isBroken {
                // Those that collided do not start together again.
                usleep(UInt32.random(in: 0...2_000) << UInt32(attempt))
            }
        }
        return try connection.write(body)
    }
}
