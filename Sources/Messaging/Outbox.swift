package import SQLStorage

/// Events that are to be delivered, kept in the database until they are (reliability.md D.2, rule 2).
///
/// An event is appended in the transaction that makes it true: so it exists exactly when the fact does, and once.
/// A relay reads what is due, delivers it and says so; until then it is offered again, always with the same id.
package struct Outbox: Sendable {
    package init() {}

    /// Appends events in their order, in the caller's transaction.
    package func append(_ events: [CloudEvent], in transaction: any SQLTransaction) throws {
        guard !events.isEmpty else { return }
        // Positions become visible in their order: a relay that reads on from the last one misses none.
        if let lock = transaction.dialect.lock("outbox_events") { try transaction.enqueue(lock) }
        for event in events {
            try transaction.enqueue(
                SQLStatement(
                    """
                    INSERT INTO outbox_events (id_high, id_low, source, type, subject, partition_key, time, data, due_at)
                    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $7)
                    """,
                    [
                        .int(Int64(bitPattern: event.id.high)), .int(Int64(bitPattern: event.id.low)),
                        .text(event.source), .text(event.type.rawValue), event.subject.sqlValue,
                        .text(event.partitionKey), .int(event.time), .bytes(event.data),
                    ]))
        }
    }

    /// The oldest events that are due, at most `limit`.
    ///
    /// - Parameter position: Only events behind this position.
    package func due(
        now: Int64, after position: Int64 = 0, limit: Int, in transaction: any SQLTransaction
    ) throws -> [OutboxEvent] {
        try transaction.rows(
            """
            SELECT position, id_high, id_low, source, type, subject, partition_key, time, data, attempts, due_at,
                is_parked
            FROM outbox_events
            WHERE position > \(position) AND due_at <= \(now) AND is_parked = 0
            ORDER BY position LIMIT \(limit)
            """
        ) { row in OutboxEvent(row) }
    }

    /// Forgets events that were delivered.
    package func remove(_ positions: [Int64], in transaction: any SQLTransaction) throws {
        guard !positions.isEmpty else { return }
        try transaction.enqueue("DELETE FROM outbox_events WHERE position IN (\(list: positions))")
    }

    /// Notes that delivery failed. The event is due again at `dueAt`; a parked one waits for an operator.
    package func postpone(
        _ position: Int64, until dueAt: Int64, isParked: Bool = false, in transaction: any SQLTransaction
    ) throws {
        try transaction.enqueue(
            """
            UPDATE outbox_events SET attempts = attempts + 1, due_at = \(dueAt), is_parked = \(isParked)
            WHERE position = \(position)
            """)
    }

    /// How many events wait, parked ones included.
    package func count(in transaction: any SQLTransaction) throws -> Int {
        Int(try transaction.firstInt("SELECT COUNT(*) FROM outbox_events") ?? 0)
    }

    /// Forgets events from before this time, delivered or not: for installations that nobody listens to.
    @discardableResult
    package func trim(before time: Int64, in transaction: any SQLTransaction) throws -> Int {
        try transaction.execute("DELETE FROM outbox_events WHERE time < \(time)")
    }
}

/// An event in the outbox.
package struct OutboxEvent: Hashable, Sendable {
    /// Its place in the outbox: grows in the order of appending.
    package var position: Int64
    package var event: CloudEvent
    /// How often delivery was tried.
    package var attempts: Int
    /// When it is to be offered, in milliseconds since 1970.
    package var dueAt: Int64
    /// Whether delivery was given up until somebody looks at it.
    package var isParked: Bool

    fileprivate init(_ row: any SQLRow) {
        position = row.int(0)
        event = CloudEvent(
            id: UUIDv7(high: UInt64(bitPattern: row.int(1)), low: UInt64(bitPattern: row.int(2))),
            source: row.text(3), type: EventType(rawValue: row.text(4)), subject: row.optionalText(5), time: row.int(7),
            partitionKey: row.text(6), data: row.bytes(8))
        attempts = Int(row.int(9))
        dueAt = row.int(10)
        isParked = row.bool(11)
    }
}
