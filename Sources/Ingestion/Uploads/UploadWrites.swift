import SQLStorage
import Synchronization

/// Writes of many uploads in few transactions: what comes while one is under way goes into the next (reliability.md D.2, rule 1).
///
/// A body that throws an error of its own spoils nothing for the others; where the database itself refuses, each body is run again by itself.
final class UploadWrites: Sendable {
    private struct Entry: Sendable {
        /// Runs in a transaction, possibly several times; what it answers last counts.
        let run: @Sendable (any SQLTransaction) throws -> Void
        /// Called once.
        let finish: @Sendable ((any Error)?) -> Void
    }

    private struct State {
        var waiting: [Entry] = []
        var isWriting = false
    }

    private let database: any SQLDatabase
    private let state = Mutex(State())
    private static let mostAtOnce = 256
    /// How often a transaction is tried that collides with others.
    private static let attempts = 5

    init(database: any SQLDatabase) { self.database = database }

    /// Runs `body` in a transaction that is durable when this returns. It may run more than once.
    @discardableResult
    func write<T: Sendable>(_ body: @escaping @Sendable (any SQLTransaction) throws -> T) async throws -> T {
        let outcome = Outcome<T>()
        return try await withCheckedThrowingContinuation { continuation in
            add(
                Entry { transaction in
                    do {
                        outcome.set(.success(try body(transaction)))
                    } catch let error as SQLError {
                        // The transaction cannot go on.
                        throw error
                    } catch {
                        outcome.set(.failure(error))
                    }
                } finish: { error in
                    continuation.resume(with: error.map { .failure($0) } ?? outcome.value)
                })
        }
    }

    /// What a body answered last.
    private final class Outcome<T: Sendable>: Sendable {
        private let result = Mutex<Result<T, any Error>?>(nil)

        func set(_ result: Result<T, any Error>) { self.result.withLock { $0 = result } }

        var value: Result<T, any Error> {
            guard let result = result.withLock({ $0 }) else {
                preconditionFailure("a transaction was committed without its body")
            }
            return result
        }
    }

    private func add(_ entry: Entry) {
        let isFirst = state.withLock { state in
            state.waiting.append(entry)
            defer { state.isWriting = true }
            return !state.isWriting
        }
        if isFirst { begin() }
    }

    /// Begins the next transaction, or stops when nothing waits.
    private func begin() {
        let batch = state.withLock { state in
            let batch = Array(state.waiting.prefix(Self.mostAtOnce))
            state.waiting.removeFirst(batch.count)
            if batch.isEmpty { state.isWriting = false }
            return batch
        }
        if !batch.isEmpty { write(batch, attempt: 1) { [self] in begin() } }
    }

    private func write(_ batch: [Entry], attempt: Int, then next: @escaping @Sendable () -> Void) {
        database.write { transaction in
            for entry in batch { try entry.run(transaction) }
        } completion: { [self] result in
            guard case .failure(let error) = result else {
                for entry in batch { entry.finish(nil) }
                return next()
            }
            if DatabaseFailure(error) == .again, attempt < Self.attempts {
                return write(batch, attempt: attempt + 1, then: next)
            }
            guard batch.count > 1, DatabaseFailure(error) == .ofRecord else {
                for entry in batch { entry.finish(error) }
                return next()
            }
            writeSingly(batch[...], then: next)
        }
    }

    private func writeSingly(_ batch: ArraySlice<Entry>, then next: @escaping @Sendable () -> Void) {
        guard let first = batch.first else { return next() }
        write([first], attempt: 1) { [self] in writeSingly(batch.dropFirst(), then: next) }
    }
}
