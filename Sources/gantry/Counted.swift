import Synchronization

/// Turns totals so far into steps.
final class Counted: Sendable {
    private let total = Mutex(0)

    /// How much has been added since the last call.
    func advance(to count: Int) -> Int {
        total.withLock { total in
            defer { total = count }
            return count - total
        }
    }
}
