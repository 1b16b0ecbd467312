import Access
package import Archive
package import BlobStorage
import SQLStorage

/// A report of an order: where its bytes are, and what they are.
package struct OrderReport: Hashable, Sendable {
    package var type: String
    package var mediaType: String
    package var location: BlobLocation
    /// SHA-256 of the bytes.
    package var digest: [UInt8]
    package var isFinal: Bool
    /// In milliseconds since 1970.
    package var storedAt: Int64

    package init(
        type: String, mediaType: String, location: BlobLocation, digest: [UInt8], isFinal: Bool, storedAt: Int64
    ) {
        self.type = type
        self.mediaType = mediaType
        self.location = location
        self.digest = digest
        self.isFinal = isFinal
        self.storedAt = storedAt
    }
}

extension Orders {
    /// Where the blobs of reports are named.
    package static let reportBlobs = BlobColumn(table: "order_reports", location: "location", digest: "digest")

    /// Notes a report whose bytes are durable. A final one completes the order, once it is processed.
    ///
    /// - Returns: The order, and the report that had this type before: its blob is not named any more.
    package func addReport(
        _ report: OrderReport, to id: OrderID, by requester: OrderRequester
    ) async throws -> (order: Order, previous: BlobLocation?) {
        try await update(.id(id), by: requester) { row, journal, now, transaction in
            try Self.checkTakesReport(row.order, isFinal: report.isFinal)
            let previous = try transaction.firstText(
                "SELECT location FROM order_reports WHERE order_number = \(row.number) AND type = \(report.type)")
            try transaction.enqueue(
                """
                INSERT INTO order_reports (order_number, type, media_type, location, length, digest, is_final, stored_at, client)
                VALUES (\(row.number), \(report.type), \(report.mediaType), \(report.location.rawValue),
                    \(report.location.length), \(report.digest), \(report.isFinal), \(now), \(requester.principal.client))
                ON CONFLICT (order_number, type) DO UPDATE SET media_type = excluded.media_type,
                    location = excluded.location, length = excluded.length, digest = excluded.digest,
                    is_final = excluded.is_final, stored_at = excluded.stored_at, client = excluded.client
                """)
            journal.noteReport(
                report.type, length: report.location.length, isFinal: report.isFinal, of: row, at: now,
                cause: requester.cause)
            if report.isFinal, row.order.state == .processing {
                let occurrence = try row.order.move(to: .completed, at: now)
                journal.note([occurrence], of: row, at: now, cause: requester.cause)
            }
            return (row.order, previous.flatMap { BlobLocation(rawValue: $0) })
        }
    }

    /// Whether the order takes a report now, asked before the body of one is read.
    package func checkTakesReport(_ id: OrderID, isFinal: Bool, for requester: OrderRequester) async throws {
        try await read(.id(id), for: requester) { row, _ in try Self.checkTakesReport(row.order, isFinal: isFinal) }
    }

    private static func checkTakesReport(_ order: Order, isFinal: Bool) throws(OrderError) {
        switch order.state {
        case .created, .receiving, .complete: if isFinal { throw notAllowed(order) }
        case .processing, .completed: break
        case .failed, .cancelled: throw notAllowed(order)
        }
    }

    /// The report of a type, or the newest. A failed order has none: its failure is thrown.
    package func report(
        type: String?, of reference: OrderReference, for requester: OrderRequester
    ) async throws -> (order: Order, report: OrderReport) {
        try await read(reference, for: requester) { row, transaction in
            guard row.order.state != .failed else { throw Self.notAllowed(row.order) }
            let wanted: SQLStatement = type.map { "AND type = \($0)" } ?? ""
            let report = try transaction.first(
                """
                SELECT type, media_type, location, digest, is_final, stored_at FROM order_reports
                WHERE order_number = \(row.number) \(wanted) ORDER BY is_final DESC, stored_at DESC LIMIT 1
                """
            ) { row in
                BlobLocation(rawValue: row.text(2)).map {
                    OrderReport(
                        type: row.text(0), mediaType: row.text(1), location: $0, digest: row.bytes(3),
                        isFinal: row.bool(4), storedAt: row.int(5))
                }
            }
            guard let report = report ?? nil else { throw OrderError.noReport }
            return (row.order, report)
        }
    }
}
