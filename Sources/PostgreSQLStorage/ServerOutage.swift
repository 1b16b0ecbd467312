import Logging
import SQLStorage
import Synchronization

/// Whether the server can be reached, as far as the connections of one database have learned, and when to try it again.
final class ServerOutage: Sendable {
    /// What to do about a connection that is missing.
    enum Advice {
        /// Connect now.
        case connect
        /// Wait for so many milliseconds, then ask again.
        case wait(Int)
        /// Give up: the server has been away for longer than anybody is to wait.
        case giveUp(SQLError)
    }

    private struct State {
        var error: SQLError
        var since: Int
        var nextAttempt: Int
        var pause: Int
    }

    private let patience: Int
    private let logger: Logger
    private let state = Mutex<State?>(nil)

    private static let shortestPause = 100
    private static let longestPause = 2_000

    /// - Parameter patience: How long a transaction waits for the server to come back, in milliseconds.
    init(patience: Int, logger: Logger) {
        self.patience = patience
        self.logger = logger
    }

    /// Why the server cannot be reached; `nil` when nothing speaks against it.
    var error: SQLError? { state.withLock { $0?.error } }

    /// What one who needs a connection is to do now. Only one at a time is told to connect while the server is away.
    func advice() -> Advice {
        let now = ServerLink.now
        return state.withLock { state in
            guard var outage = state else { return .connect }
            guard now < outage.nextAttempt else {
                outage.nextAttempt = now + outage.pause
                state = outage
                return .connect
            }
            guard now - outage.since < patience else { return .giveUp(outage.error) }
            return .wait(outage.nextAttempt - now)
        }
    }

    /// Notes that a connection could not be opened. Tells whether the time of waiting is over.
    func noteFailure(_ error: SQLError) -> Bool {
        let now = ServerLink.now
        let (isFirst, isOver) = state.withLock { state in
            let isFirst = state == nil
            let since = state?.since ?? now
            let pause = min(Self.longestPause, 2 * (state?.pause ?? Self.shortestPause / 2))
            // Not all processes at the same moment.
            let jittered = pause / 2 + Int.random(in: 0...pause / 2)
            state = State(error: error, since: since, nextAttempt: now + jittered, pause: pause)
            return (isFirst, now - since >= patience)
        }
        if isFirst { logger.error("Lost the database", metadata: ["reason": "\(error.message)"]) }
        return isOver
    }

    /// Notes that the server answers.
    func noteSuccess() {
        let outage = state.withLock { state in
            defer { state = nil }
            return state
        }
        guard let outage else { return }
        logger.notice(
            "Found the database again", metadata: ["after": "\(ServerLink.now - outage.since) ms"])
    }
}
