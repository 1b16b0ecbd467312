/// How often something is tried again, and how long to wait before that.
///
/// Waiting times double up to a limit and are spread at random, so that many senders whose server comes back do not all
/// return in the same moment.
package struct RetryPolicy: Sendable, Hashable {
    /// How often it is tried at most, the first time included.
    package var attempts: Int
    package var firstDelay: Duration
    package var longestDelay: Duration

    package init(
        attempts: Int = 6, firstDelay: Duration = .milliseconds(500), longestDelay: Duration = .seconds(30)
    ) {
        self.attempts = max(1, attempts)
        self.firstDelay = firstDelay
        self.longestDelay = longestDelay
    }

    package static let standard = RetryPolicy()
    package static let never = RetryPolicy(attempts: 1)

    /// The wait after the given failed attempt, counted from 1; `nil` when there shall be no other.
    ///
    /// - Parameters:
    ///   - requested: what the server asked for by `Retry-After`. It is kept, up to two minutes.
    ///   - random: from 0 to 1; takes the upper half of the wait or less of it.
    package func delay(afterAttempt attempt: Int, requested: Duration?, random: Double) -> Duration? {
        guard attempt < attempts else { return nil }
        var wait = firstDelay
        for _ in 1..<max(1, attempt) where wait < longestDelay { wait *= 2 }
        wait = min(wait, longestDelay)
        let spread = wait * (0.5 + 0.5 * min(max(random, 0), 1))
        guard let requested else { return spread }
        return min(requested, .seconds(120)) + spread * 0.5
    }
}
