import Audit
import Logging
import Messaging
import Metrics
import Observability
import SQLStorage
import ServiceLifecycle

/// Writes what was noted of reads and credentials to the audit trail: a transaction for all of an interval. Nobody waits for it.
///
/// While the database does not take them the queue fills, and what it drops is told in a record of its own.
struct TrailWriter: Service {
    private let queue: ReadQueue?
    private let access: AccessTrail?
    private let append: @Sendable ([AuditEvent]) async throws -> Void
    private let clock: @Sendable () -> Int64
    private let logger: Logger
    private let dropped: Counter

    private static let interval = Duration.milliseconds(500)

    init(
        _ queue: ReadQueue?, _ access: AccessTrail? = nil, database: any SQLDatabase, metrics: any MetricsFactory,
        logger: Logger,
        clock: @escaping @Sendable () -> Int64
    ) {
        self.init(queue, access, metrics: metrics, logger: logger, clock: clock) { events in
            try await database.write { transaction in try AuditLog().append(events, in: transaction) }
        }
    }

    /// - Parameter append: puts the records on the trail, wherever it is.
    init(
        _ queue: ReadQueue?, _ access: AccessTrail? = nil, metrics: any MetricsFactory, logger: Logger,
        clock: @escaping @Sendable () -> Int64,
        append: @escaping @Sendable ([AuditEvent]) async throws -> Void
    ) {
        self.queue = queue
        self.access = access
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
            let batch = queue?.take()
            events = batch?.accesses.map(\.event) ?? []
            let uses = access?.take()
            events += uses?.events ?? []
            for (count, door) in [(batch?.dropped ?? 0, "wado"), (uses?.dropped ?? 0, "access")] where count > 0 {
                dropped.increment(by: count)
                events.append(lost(count, door))
            }
        }
        guard !events.isEmpty else { return [] }
        do {
            try await append(events)
            return []
        } catch {
            logger.warning(
                "audit records of reads or credentials could not be written",
                metadata: .keys([.error: "\(type(of: error))"]))
            return events
        }
    }

    private func lost(_ count: Int, _ door: String) -> AuditEvent {
        let now = clock()
        return AuditEvent(
            id: UUIDv7(milliseconds: now).description, time: now, kind: .recordsLost, action: .execute,
            outcome: .minorFailure, outcomeText: "More was done than could be written down.",
            actor: AuditEvent.Actor(), door: door, details: ["requests": "\(count)"])
    }
}
