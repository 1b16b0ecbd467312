import Audit
import DICOMCore
import Messaging
import SQLStorage

/// Collects what happened to orders in one transaction, and writes it at its end: events, audit records, and the entries
/// of the timelines that no column tells.
struct OrderJournal {
    /// On whose behalf something happens.
    struct Cause: Sendable {
        var actor: AuditEvent.Actor
        var door: String
        var requestID: String?

        /// Time itself.
        static let clock = Cause(actor: AuditEvent.Actor(), door: "orders", requestID: nil)
    }

    private let source: String
    private var events: [CloudEvent] = []
    private var records: [AuditEvent] = []
    private var history: [HistoryEntry] = []

    private struct HistoryEntry {
        var number: Int64
        var time: Int64
        var kind: OrderTimeline.Kind
        var client: String?
        var details: OrderedJSON
    }

    /// - Parameter source: Who tells, as a URI reference.
    init(source: String) { self.source = source }

    /// Notes what happened to an order, which is now as given.
    mutating func note(_ occurrences: [OrderOccurrence], of row: OrderRow, at time: Int64, cause: Cause) {
        for occurrence in occurrences { note(occurrence, of: row, at: time, cause) }
    }

    private mutating func note(
        _ occurrence: OrderOccurrence, of row: OrderRow, at time: Int64, _ cause: Cause
    ) {
        // What several occurrences lead to is told with the state that each led to.
        var order = row.order
        switch occurrence {
        case .created:
            events.append(order.event(.orderCreated, source: source, time: time))
            records.append(record(of: order, .create, time, cause, ["state": order.state.rawValue]))
        case .expiring:
            events.append(order.event(.orderExpiring, source: source, time: time))
            records.append(record(of: order, .update, time, cause, ["occurrence": "expiring"]))
            history.append(HistoryEntry(number: row.number, time: time, kind: .expiring, details: [:]))
        case .changed(let previous, let state):
            order.state = state
            if state != .failed { order.failure = nil }
            events.append(order.event(EventType(state), from: previous, source: source, time: time))
            if state == .processing { events.append(order.event(.orderReady, source: source, time: time)) }
            var details = ["state": state.rawValue, "previousState": previous.rawValue]
            details["reason"] = order.failure?.rawValue
            if state == .failed, !order.missing.isEmpty { details["missing"] = order.missing.joined(separator: ",") }
            records.append(record(of: order, .update, time, cause, details))
            if previous == .complete, state == .receiving {
                history.append(HistoryEntry(number: row.number, time: time, kind: .reopened, details: [:]))
            }
        }
    }

    /// Notes that metadata were changed: which, not what they are now.
    mutating func noteMetadata(
        _ pointers: [String], from metadataSource: MetadataSource, of row: OrderRow, at time: Int64, cause: Cause
    ) {
        guard !pointers.isEmpty else { return }
        records.append(
            record(
                of: row.order, .update, time, cause,
                ["changed": pointers.joined(separator: ","), "source": metadataSource.name]))
        history.append(
            HistoryEntry(
                number: row.number, time: time, kind: .metadata, client: cause.actor.client,
                details: [
                    "source": .string(metadataSource.name), "changed": .array(pointers.map { .string($0) }),
                ]))
    }

    /// Notes that a report was stored.
    mutating func noteReport(
        _ type: String, length: Int, isFinal: Bool, of row: OrderRow, at time: Int64, cause: Cause
    ) {
        events.append(row.order.event(.orderReport, report: type, source: source, time: time))
        records.append(
            record(
                of: row.order, .update, time, cause,
                ["report": type, "bytes": "\(length)", "final": isFinal ? "true" : "false"]))
        history.append(
            HistoryEntry(
                number: row.number, time: time, kind: .report, client: cause.actor.client,
                details: ["report_type": .string(type), "bytes": OrderedJSON(length), "final": .bool(isFinal)]))
    }

    /// Notes something else for the timeline alone.
    mutating func note(
        _ kind: OrderTimeline.Kind, _ details: OrderedJSON, of number: Int64, at time: Int64, client: String?
    ) {
        history.append(HistoryEntry(number: number, time: time, kind: kind, client: client, details: details))
    }

    /// Notes something for the audit trail alone.
    mutating func note(
        _ details: [String: String], _ action: AuditEvent.Action, of order: Order, at time: Int64, cause: Cause
    ) {
        records.append(record(of: order, action, time, cause, details))
    }

    /// Order Record (PS3.15 A.5.3.13).
    private func record(
        of order: Order, _ action: AuditEvent.Action, _ time: Int64, _ cause: Cause, _ details: [String: String]
    ) -> AuditEvent {
        var details = details
        details["order"] = order.id.rawValue
        return AuditEvent(
            id: UUIDv7(milliseconds: time).description, time: time, kind: .orderRecord, action: action,
            outcome: .success, actor: cause.actor, door: cause.door, requestID: cause.requestID,
            study: order.study?.string, details: details)
    }

    /// Writes everything.
    func write(in transaction: any SQLTransaction) throws {
        for entry in history {
            try transaction.enqueue(
                SQLStatement(
                    "INSERT INTO order_history (order_number, time, kind, client, details) VALUES ($1, $2, $3, $4, $5)",
                    [
                        .int(entry.number), .int(entry.time), .text(entry.kind.rawValue), entry.client.sqlValue,
                        .text(String(decoding: entry.details.bytes, as: UTF8.self)),
                    ]))
        }
        try Outbox().append(events, in: transaction)
        try AuditLog().append(records, in: transaction)
    }
}
