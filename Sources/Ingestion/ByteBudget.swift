import Synchronization

/// The bytes that all requests in progress may hold together.
///
/// A request asks once, before its body is read. When nothing is left it is told to come back later.
package final class ByteBudget: Sendable {
    /// Bytes that are taken until the reservation goes.
    package final class Reservation: Sendable {
        private let budget: ByteBudget
        private let count: Int

        fileprivate init(budget: ByteBudget, count: Int) {
            self.budget = budget
            self.count = count
        }

        deinit { budget.give(back: count) }
    }

    /// What a request takes at most, however long its body is: bodies are streamed.
    package static let largestShare = 4 << 20
    /// What a request takes when it does not say how long its body is.
    package static let shareOfUnknownLength = 1 << 20

    private let limit: Int
    private let taken = Mutex(0)

    package init(limit: Int) { self.limit = limit }

    /// Takes the share of a request with this Content-Length; `nil` when the budget is short.
    package func reserve(expectedLength: Int?) -> Reservation? {
        let share = min(max(expectedLength ?? Self.shareOfUnknownLength, 4096), Self.largestShare)
        let isGranted = taken.withLock { taken in
            guard taken + share <= limit else { return false }
            taken += share
            return true
        }
        return isGranted ? Reservation(budget: self, count: share) : nil
    }

    /// Takes all of a body that is held as a whole; `nil` when the budget is short.
    package func reserve(whole length: Int) -> Reservation? {
        let isGranted = taken.withLock { taken in
            guard length <= limit - taken else { return false }
            taken += length
            return true
        }
        return isGranted ? Reservation(budget: self, count: length) : nil
    }

    /// The bytes that are taken now.
    package var inUse: Int { taken.withLock { $0 } }

    private func give(back count: Int) { taken.withLock { $0 -= count } }
}
