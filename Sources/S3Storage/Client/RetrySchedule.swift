/// When a request that failed is sent again.
///
/// Waiting times double and are drawn at random between nothing and that (full jitter), so that many who failed together do not come back
/// together. Being asked to slow down is no failure: it is followed more often, and more slowly.
package struct RetrySchedule: Hashable, Sendable {
    /// How often a request is sent again that failed.
    package var failures = 3
    /// How often a request is sent again that came too early.
    package var slowDowns = 10
    package var firstDelay: Duration = .milliseconds(100)
    package var longestDelay: Duration = .seconds(3)

    package init() {}

    /// The wait before the next attempt; `nil` when there shall be none.
    ///
    /// - Parameters:
    ///   - failures: failed attempts so far, this one included.
    ///   - slowDowns: how often we were asked to slow down so far.
    ///   - requested: what the store asked for by `Retry-After`. It is kept, up to a minute.
    ///   - random: 0 to 1.
    func delay(failures: Int, slowDowns: Int, requested: Duration?, random: Double) -> Duration? {
        guard failures <= self.failures, slowDowns <= self.slowDowns else { return nil }
        var bound = slowDowns > 0 ? firstDelay * 2 : firstDelay
        for _ in 1..<max(1, failures + slowDowns) where bound < longestDelay { bound *= 2 }
        let spread = min(bound, longestDelay) * min(max(random, 0), 1)
        guard let requested else { return spread }
        return min(requested, .seconds(60)) + spread * 0.25
    }
}
