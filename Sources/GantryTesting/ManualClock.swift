import Synchronization

/// A clock that goes when the test says so.
package final class ManualClock: Sendable {
    private let time: Mutex<Int64>

    /// - Parameter milliseconds: The time to begin with, in milliseconds since 1970.
    package init(_ milliseconds: Int64 = 1_700_000_000_000) {
        time = Mutex(milliseconds)
    }

    /// Milliseconds since 1970.
    package var now: Int64 { time.withLock { $0 } }

    /// Lets time pass.
    package func advance(by milliseconds: Int64) {
        time.withLock { $0 += milliseconds }
    }
}
