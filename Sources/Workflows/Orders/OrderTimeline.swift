package import SQLStorage

/// An order's story, oldest entry first.
package struct OrderTimeline: Hashable, Sendable {
    /// What can happen.
    package enum Kind: String, Hashable, Sendable, CaseIterable {
        case created
        /// A presigned URL that names the order was given out.
        case urlIssued = "url-issued"
        /// What was sent to such a URL has arrived.
        case uploadReceived = "upload-received"
        case firstInstance = "first-instance"
        case lastInstance = "last-instance"
        case metadata
        case expiring
        /// Instances came after it was complete.
        case reopened
        case complete
        /// The workflow was asked for.
        case processing
        case report
        case completed, failed, cancelled
        /// Somebody else's system has taken the news.
        case delivered
    }

    /// One thing that happened.
    package struct Entry: Hashable, Sendable {
        package var time: Int64
        package var kind: Kind
        package var client: String?
        package var details: OrderedJSON
    }

    package var order: Order
    package var entries: [Entry]

    /// Adds something to an order's story that no column tells, such as a URL that was given out. The details hold no patient
    /// data and no signed URL.
    ///
    /// - Returns: Whether there is such an order.
    @discardableResult
    package static func append(
        _ kind: Kind, to order: OrderID, details: OrderedJSON = [:], client: String?, at time: Int64,
        in transaction: any SQLTransaction
    ) throws -> Bool {
        let number = try transaction.firstInt("SELECT number FROM orders WHERE id = \(order.rawValue)")
        guard let number else { return false }
        var journal = OrderJournal(source: "")
        journal.note(kind, details, of: number, at: time, client: client)
        try journal.write(in: transaction)
        return true
    }

    static func read(_ row: OrderRow, in transaction: any SQLTransaction) throws -> OrderTimeline {
        let order = row.order
        let times = order.times
        var entries: [Entry] = [
            Entry(time: times.created, kind: .created, client: order.owner.client, details: [:])
        ]
        func add(_ time: Int64?, _ kind: Kind, _ details: OrderedJSON = [:]) {
            if let time { entries.append(Entry(time: time, kind: kind, details: details)) }
        }
        add(times.firstInstance, .firstInstance)
        if times.lastInstance != times.firstInstance {
            add(times.lastInstance, .lastInstance, ["instances": OrderedJSON(order.instances)])
        }
        try transaction.forEach(
            """
            SELECT time, kind, client, details FROM order_history WHERE order_number = \(row.number) ORDER BY position
            """
        ) { row in
            guard let kind = Kind(rawValue: row.text(1)) else { return }
            let details = (try? OrderedJSON(parsing: Array(row.text(3).utf8))) ?? [:]
            entries.append(Entry(time: row.int(0), kind: kind, client: row.optionalText(2), details: details))
        }
        add(times.complete, .complete)
        add(times.processing, .processing)
        let end: Kind? =
            switch order.state {
            case .completed: .completed
            case .failed: .failed
            case .cancelled: .cancelled
            case .created, .receiving, .complete, .processing: nil
            }
        if let end {
            add(times.ended, end, order.failure.map { ["reason": .string($0.rawValue)] } ?? [:])
        }
        let sorted = entries.enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }
        return OrderTimeline(order: order, entries: sorted.map(\.element))
    }
}
