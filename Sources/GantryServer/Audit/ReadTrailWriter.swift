import Audit
import Logging
import Messaging
import Metrics
import Observability
import SQLStorage
import ServiceLifecycle

/// Writes the reads that were noted to the audit trail: a transaction for all of an interval. Nobody waits for it.
///
/// While the database does not take them the queue fills, and what it drops is told in a record of its own.
struct ReadTrailWriter: Service {
    private let queue: ReadQueue
    private let append: @Sendable ([AuditEvent]) async throws -> Void
    private let clock: @Sendable () -> Int64
    private let logger: Logger
    private let dropped: Counter

    private static let interval = Duration.milliseconds(500)

    init(
        _ queue: ReadQueue, database: any SQLDatabase, metrics: any MetricsFactory, logger: Logger,
        clock: @escaping @Sendable () -> Int64
    ) {
        self.init(queue, metrics: metrics, logger: logger, clock: clock) { events in
            try await database.write { transaction in try AuditLog().append(events, in: transaction) }
        }
    }

    /// - Parameter append: puts the records on the trail, wherever it is.
    init(
        _ queue: ReadQueue, metrics: any MetricsFactory, logger: Logger, clock: @escaping @Sendable () -> Int64,
        append: @escaping @Sendable ([AuditEvent]) async throws -> Void
    ) {
        self.queue = queue
        self.append = append
        self.clock = clock
        self.logger = logger
        dropped = Counter(label: "gantry_audit_reads_dropped_total", factory: metrics)
    }

    func run() async throws {
        var waiting = await cancelWhenGracefulShutdown { [self] in
            var waiting: [AuditEvent] = []
            while !Task.isCancelled {
                do { try await Task.sleep(for: Self.interval) } catch { break }
                waiting = await write(waiting)
            }
            return waiting
        }
        // What was left over, and what was read while the server stopped.
        if !waiting.isEmpty { waiting = await write(waiting) }
        if waiting.isEmpty { _ = await write([]) }
    }

    /// Writes what waits and what was noted since; what could not be written.
    func write(_ waiting: [AuditEvent]) async -> [AuditEvent] {
        var events = waiting
        if events.isEmpty {
            let batch = queue.take()
            events = batch.accesses.map(\.event)
            if batch.dropped > 0 {
                dropped.increment(by: batch.dropped)
                events.append(lost(batch.dropped))
            }
        }
        guard !events.isEmpty else { return [] }
        do {
            try await append(events)
            return []
        } catch {
            logger.warning(
                "audit records of reads could not be written", metadata: .keys([.error: "\(type(of: error))"]))
            return events
        }
    }

    private func lost(_ count: Int) -> AuditEvent {
        let now = clock()
        return AuditEvent(
            id: UUIDv7(milliseconds: now).description, time: now, kind: .recordsLost, action: .execute,
            outcome: .minorFailure, outcomeText: "More was read than could be written down.",
            actor: AuditEvent.Actor(), door: "wado", details: ["requests": "\(count)"])
    }
}
