import Synchronization

/// Work that was handed to a thread and whose result one task will ask for.
final class PendingWork<Value: Sendable>: Sendable {
    private enum State {
        case running
        case awaited(UnsafeContinuation<Value, any Error>)
        case finished(Result<Value, any Error>)
    }

    private let state = Mutex<State>(.running)

    init() {}

    /// Work that is already done.
    init(_ result: Result<Value, any Error>) {
        state.withLock { $0 = .finished(result) }
    }

    /// Called once, by the thread.
    func finish(_ result: Result<Value, any Error>) {
        let waiter: UnsafeContinuation<Value, any Error>? = state.withLock { state in
            guard case .awaited(let continuation) = state else {
                state = .finished(result)
                return nil
            }
            state = .finished(result)
            return continuation
        }
        waiter?.resume(with: result)
    }

    /// Waits for the result. One task at a time.
    func value() async throws -> Value {
        let early: Result<Value, any Error>? = state.withLock { state in
            guard case .finished(let result) = state else { return nil }
            return result
        }
        if let early { return try early.get() }
        return try await withUnsafeThrowingContinuation { continuation in
            let result: Result<Value, any Error>? = state.withLock { state in
                guard case .finished(let result) = state else {
                    state = .awaited(continuation)
                    return nil
                }
                return result
            }
            if let result { continuation.resume(with: result) }
        }
    }
}
