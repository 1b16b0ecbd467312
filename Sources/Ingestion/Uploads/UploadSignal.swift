import Synchronization

/// Wakes who waits for uploads to be ingested.
package final class UploadSignal: Sendable {
    private struct State {
        var count: UInt64 = 0
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    package init() {}

    /// How often it was raised: read it before looking for work.
    var count: UInt64 { state.withLock { $0.count } }

    /// Says that there is work.
    package func raise() {
        let waiters = state.withLock { state in
            state.count += 1
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Waits until it is raised; not at all when it was since the count was read.
    func wait(after count: UInt64) async {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                guard state.count == count else { return true }
                state.waiters.append(continuation)
                return false
            }
            if isOver { continuation.resume() }
        }
    }
}
