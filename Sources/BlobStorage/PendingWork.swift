import Synchronization

/// Work that was handed to a thread or begun elsewhere, and whose result one task will ask for.
package final class PendingWork<Value: Sendable>: Sendable {
    private enum State {
        case running
        case awaited(UnsafeContinuation<Value, any Error>)
        case finished(Result<Value, any Error>)
    }

    private let state = Mutex<State>(.running)
    /// Called when nobody will ask for the result any more.
    private let onForgotten: Mutex<(@Sendable () -> Void)?> = Mutex(nil)

    package init() {}

    /// Work that a task of its own does. It is cancelled when nobody can ask for the result any more; cancelling who asks does not touch it.
    ///
    /// Unstructured, because it is begun ahead of the call that will ask for it, or has to go on when that call is cancelled.
    package static func begun(_ body: @escaping @Sendable () async throws -> Value) -> PendingWork {
        let work = PendingWork()
        let task = Task { [weak work] in
            let result: Result<Value, any Error>
            do { result = .success(try await body()) } catch { result = .failure(error) }
            work?.finish(result)
        }
        work.onForgotten.withLock { $0 = { task.cancel() } }
        return work
    }

    deinit {
        onForgotten.withLock { $0 }?()
    }

    /// Work that is already done.
    package init(_ result: Result<Value, any Error>) {
        state.withLock { $0 = .finished(result) }
    }

    /// Called once, by the thread.
    package func finish(_ result: Result<Value, any Error>) {
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
    package func value() async throws -> Value {
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
