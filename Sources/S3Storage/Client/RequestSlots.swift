import Synchronization

/// A number of turns: who finds none free waits in line. Waiting ends with the task's cancellation.
final class RequestSlots: Sendable {
    private struct Waiter {
        let number: UInt64
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var free: Int
        var waiting: [Waiter] = []
        var next: UInt64 = 0
    }

    private let state: Mutex<State>

    init(_ count: Int) {
        state = Mutex(State(free: max(1, count)))
    }

    /// A turn that somebody has. It is given back once, at the latest when it is forgotten.
    final class Slot: Sendable {
        private let slots: Mutex<RequestSlots?>

        fileprivate init(_ slots: RequestSlots) { self.slots = Mutex(slots) }

        deinit { giveBack() }

        func giveBack() {
            let slots = slots.withLock { slots in
                defer { slots = nil }
                return slots
            }
            slots?.giveBack()
        }
    }

    /// A turn if one is free.
    func takeNow() -> Slot? {
        state.withLock { state in
            guard state.free > 0, state.waiting.isEmpty else { return nil }
            state.free -= 1
            return Slot(self)
        }
    }

    /// A turn, waiting for it.
    func take() async throws -> Slot {
        if let slot = takeNow() { return slot }
        let number = state.withLock { state in
            state.next += 1
            return state.next
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let verdict: Result<Void, any Error>? = state.withLock { state in
                    if Task.isCancelled { return .failure(CancellationError()) }
                    if state.free > 0, state.waiting.isEmpty {
                        state.free -= 1
                        return .success(())
                    }
                    state.waiting.append(Waiter(number: number, continuation: continuation))
                    return nil
                }
                if let verdict { continuation.resume(with: verdict) }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                state.waiting.firstIndex { $0.number == number }.map { state.waiting.remove(at: $0) }
            }
            waiter?.continuation.resume(throwing: CancellationError())
        }
        return Slot(self)
    }

    private func giveBack() {
        let waiter: Waiter? = state.withLock { state in
            guard !state.waiting.isEmpty else {
                state.free += 1
                return nil
            }
            return state.waiting.removeFirst()
        }
        waiter?.continuation.resume()
    }
}
