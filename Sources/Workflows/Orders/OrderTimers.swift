package import Logging
package import SQLStorage
import ServiceLifecycle

/// Does what time does to orders: completes studies that are quiet, warns, and fails what has no metadata.
///
/// A timer is a column of the order's row. Whichever process comes first takes a batch of those that are due in one
/// transaction; others leave out what it has in its hands. So each has exactly one effect, also across restarts.
package struct OrderTimers: Service {
    private let database: any SQLDatabase
    private let rules: OrderRules
    private let eventSource: String
    private let logger: Logger
    private let clock: @Sendable () -> Int64
    private let interval: Duration

    /// Orders of one transaction: few enough that a commit of instances waits for it only a moment.
    private static let batch = 250

    /// - Parameters:
    ///   - clock: Milliseconds since 1970.
    ///   - interval: How long to wait between looking.
    package init(
        database: any SQLDatabase, rules: OrderRules, eventSource: String = "/gantry", logger: Logger,
        interval: Duration = .milliseconds(500), clock: @escaping @Sendable () -> Int64
    ) {
        self.database = database
        self.rules = rules
        self.eventSource = eventSource
        self.logger = logger
        self.interval = interval
        self.clock = clock
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    try await fire()
                } catch is CancellationError {
                    return
                } catch {
                    // What is due stays due.
                    logger.warning("Timers of orders could not be looked at", metadata: ["error": "\(type(of: error))"])
                }
                do { try await Task.sleep(for: interval) } catch { return }
            }
        }
    }

    /// Does everything that is due now. How many orders it was.
    @discardableResult
    package func fire() async throws -> Int {
        var count = 0
        while true {
            try Task.checkCancellation()
            let now = clock()
            // A look costs nobody anything; only what is due takes the write lock.
            let isAnythingDue = try await database.read { transaction in
                try transaction.exists("SELECT 1 FROM orders WHERE due_at <= \(now) LIMIT 1")
            }
            guard isAnythingDue else { return count }
            let (rules, eventSource) = (rules, eventSource)
            let done = try await database.write { transaction in
                try Self.advance(to: now, rules, eventSource, in: transaction)
            }
            count += done
            // All that is due may be in another process's hands.
            guard done > 0 else { return count }
        }
    }

    private static func advance(
        to now: Int64, _ rules: OrderRules, _ eventSource: String, in transaction: any SQLTransaction
    ) throws -> Int {
        let table = OrderTable(rules, in: transaction)
        var journal = OrderJournal(source: eventSource)
        let rows = try table.due(by: now, limit: batch)
        for var row in rows {
            let occurrences = try row.order.advance(to: now, by: rules)
            try table.update(row)
            journal.note(occurrences, of: row, at: now, cause: .clock)
        }
        try journal.write(in: transaction)
        return rows.count
    }
}
