import Synchronization

/// Keeps requests from a store that is dead: after some seconds without any answer they fail at once, but for one from time to time that
/// finds out whether it lives again.
package final class CircuitBreaker: Sendable {
    /// How patient it is.
    package struct Limits: Hashable, Sendable {
        /// How long nothing has succeeded before it opens.
        package var patience: Duration = .seconds(5)
        /// How many failures there must have been in that time, unless one of them took all of it.
        package var failures = 3
        /// How long it lets nothing pass after it has opened, or after a failed trial.
        package var pause: Duration = .seconds(2)
        /// How long a trial may take.
        package var trial: Duration = .seconds(4)

        package init() {}
    }

    /// What may be done with a request.
    enum Verdict: Hashable {
        case pass
        /// It is the one that finds out.
        case trial
        case refuse
    }

    private enum State {
        /// Since when nothing but failures came, and when the last answer came.
        case closed(failingSince: ContinuousClock.Instant?, failures: Int, lastAnswer: ContinuousClock.Instant?)
        case open(until: ContinuousClock.Instant)
        case trying(since: ContinuousClock.Instant)
    }

    private let limits: Limits
    private let state = Mutex(State.closed(failingSince: nil, failures: 0, lastAnswer: nil))

    init(_ limits: Limits) {
        self.limits = limits
    }

    func ask(at now: ContinuousClock.Instant) -> Verdict {
        state.withLock { state in
            switch state {
            case .closed: return .pass
            case .open(let until):
                guard now >= until else { return .refuse }
                state = .trying(since: now)
                return .trial
            case .trying(let since):
                // A trial whose task was cancelled never reports.
                guard now - since > limits.trial * 2 else { return .refuse }
                state = .trying(since: now)
                return .trial
            }
        }
    }

    /// The store answered. Tells whether it was taken for dead before.
    @discardableResult
    func noteAnswer(at now: ContinuousClock.Instant) -> Bool {
        state.withLock { state in
            defer { state = .closed(failingSince: nil, failures: 0, lastAnswer: now) }
            if case .closed = state { return false }
            return true
        }
    }

    /// A request that began then got no answer, or 5xx. Tells whether that opened it.
    ///
    /// - Parameter wasSilent: It waited all that time, and nothing came.
    @discardableResult
    func noteFailure(began: ContinuousClock.Instant, wasSilent: Bool, at now: ContinuousClock.Instant) -> Bool {
        state.withLock { state in
            switch state {
            case .closed(let since, let count, let lastAnswer):
                let start = max(began, lastAnswer ?? began)
                let failingSince = min(since ?? start, start)
                let isEnough = count + 1 >= limits.failures || wasSilent && now - start >= limits.patience
                guard now - failingSince >= limits.patience, isEnough else {
                    state = .closed(failingSince: failingSince, failures: count + 1, lastAnswer: lastAnswer)
                    return false
                }
                state = .open(until: now + limits.pause)
                return true
            case .trying:
                state = .open(until: now + limits.pause)
                return false
            case .open: return false
            }
        }
    }
}
