import FoundationEssentials
package import SQLStorage

/// Reads the audit trail.
package struct AuditTable: Sendable {
    private let database: any SQLDatabase

    package init(database: any SQLDatabase) { self.database = database }

    /// The records that a query asks for, oldest first.
    package func records(_ query: AuditQuery) async throws -> [AuditRecord] {
        var conditions: [SQLStatement] = ["sequence > \(query.after)", "time >= \(query.since)"]
        if let client = query.client { conditions.append("client = \(client)") }
        if let study = query.study { conditions.append("study = \(study)") }
        let statement: SQLStatement = """
            SELECT sequence, record, hash FROM audit_records WHERE \(conditions.joined(by: " AND "))
            ORDER BY sequence LIMIT \(query.limit)
            """
        return try await database.read { transaction in
            try transaction.rows(statement) { row in
                AuditRecord(sequence: row.int(0), event: try Self.event(row.bytes(1)), hash: row.bytes(2))
            }
        }
    }

    /// The end of the chain now.
    package func head() async throws -> AuditHead {
        try await database.read { transaction in try AuditLog.head(in: transaction) }
    }

    /// Goes through the whole chain and tells the first record that is not as it was written.
    ///
    /// - Parameter checkpoint: An end of the chain that was noted earlier. Without one, records that were cut off at
    ///   the end cannot be missed.
    package func verify(checkpoint: AuditHead? = nil) async throws -> AuditVerification {
        var head = AuditHead.start
        while true {
            let start = head
            let page = try await database.read { transaction in
                try Self.verifyPage(after: start, checkpoint: checkpoint, in: transaction)
            }
            switch page {
            case .intact(let next):
                guard next != head else {
                    guard let checkpoint, checkpoint.sequence > next.sequence else { return .intact(head: next) }
                    return .broken(sequence: next.sequence + 1, .missing)
                }
                head = next
            case .broken: return page
            }
        }
    }

    private static let pageLength: Int64 = 1000

    private static func verifyPage(
        after start: AuditHead, checkpoint: AuditHead?, in transaction: any SQLTransaction
    ) throws -> AuditVerification {
        var head = start
        var fault: AuditVerification?
        try transaction.forEach(
            """
            SELECT sequence, record, hash, time, client, study FROM audit_records
            WHERE sequence > \(start.sequence) ORDER BY sequence LIMIT \(pageLength)
            """
        ) { row in
            guard fault == nil else { return }
            let expected = head.sequence + 1
            let record = row.bytes(1)
            guard row.int(0) == expected else {
                fault = .broken(sequence: expected, .missing)
                return
            }
            head = head.next(record)
            guard head.hash == row.bytes(2), checkpoint?.sequence != expected || checkpoint?.hash == head.hash,
                let event = try? event(record), event.time == row.int(3), event.actor.client == row.optionalText(4),
                event.study == row.optionalText(5)
            else {
                fault = .broken(sequence: expected, .altered)
                return
            }
        }
        return fault ?? .intact(head: head)
    }

    private static func event(_ record: [UInt8]) throws -> AuditEvent {
        try JSONDecoder().decode(AuditEvent.self, from: Data(record))
    }
}

/// Which audit records are asked for.
package struct AuditQuery: Hashable, Sendable {
    /// Not before this time, in milliseconds since 1970.
    package var since: Int64
    /// By this client.
    package var client: String?
    /// About this study.
    package var study: String?
    /// Only records behind this sequence number: the cursor of the next page.
    package var after: Int64
    package var limit: Int

    package init(
        since: Int64 = 0, client: String? = nil, study: String? = nil, after: Int64 = 0, limit: Int = 100
    ) {
        self.since = since
        self.client = client
        self.study = study
        self.after = after
        self.limit = limit
    }
}

/// One record of the trail.
package struct AuditRecord: Hashable, Sendable {
    /// Its number in the chain, from 1 without gaps.
    package var sequence: Int64
    package var event: AuditEvent
    /// SHA-256 over the record and, through the one before it, all earlier ones.
    package var hash: [UInt8]
}

/// Whether the audit trail is as it was written.
package enum AuditVerification: Hashable, Sendable {
    /// What is wrong with a record.
    package enum Fault: Hashable, Sendable { case missing, altered }

    case intact(head: AuditHead)
    /// The first record that is missing or is not what was written.
    case broken(sequence: Int64, Fault)
}
