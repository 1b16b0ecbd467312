import Synchronization

/// A count that grows: turns totals into steps, and steps into a total.
final class Counted: Sendable {
    private let total = Mutex(0)

    /// How much has been added since the last call.
    func advance(to count: Int) -> Int {
        total.withLock { total in
            defer { total = count }
            return count - total
        }
    }

    /// Counts further ones.
    func add(_ count: Int) { total.withLock { $0 += count } }

    /// How much there is so far.
    var value: Int { total.withLock { $0 } }
}
