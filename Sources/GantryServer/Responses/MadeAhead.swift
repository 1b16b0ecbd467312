import Synchronization

/// Values that are made ahead of their use, some at the same time, and given in order: while one is sent, the next ones
/// are being made. One task asks for them; what is not asked for any more is cancelled.
final class MadeAhead<Value: Sendable>: Sendable {
    private struct State {
        /// Those under way or done and not asked for yet, in order.
        var tasks: ArraySlice<Task<Value, any Error>> = []
        /// The first that is not under way.
        var next = 0
    }

    private let count: Int
    private let ahead: Int
    private let make: @Sendable (Int) async throws -> Value
    private let state = Mutex(State())

    /// Begins with the first ones.
    ///
    /// - Parameters:
    ///   - count: How many there are.
    ///   - ahead: How many are under way at the same time.
    init(_ count: Int, ahead: Int, make: @escaping @Sendable (Int) async throws -> Value) {
        self.count = count
        self.ahead = max(1, ahead)
        self.make = make
        state.withLock { begin(&$0) }
    }

    deinit { state.withLock { $0.tasks.forEach { $0.cancel() } } }

    /// The next value in order; `nil` behind the last one.
    func next() async throws -> Value? {
        let task = state.withLock { $0.tasks.popFirst() }
        guard let task else { return nil }
        let value = try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
        // Goes on while the caller is busy with this one.
        state.withLock { begin(&$0) }
        return value
    }

    private func begin(_ state: inout State) {
        while state.next < count, state.tasks.count < ahead {
            let (make, index) = (make, state.next)
            state.tasks.append(Task { try await make(index) })
            state.next += 1
        }
    }
}
