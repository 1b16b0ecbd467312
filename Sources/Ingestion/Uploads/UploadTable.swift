import Audit
package import BlobStorage
import Messaging
package import SQLStorage

/// The table of uploads: every step of every upload, each in one transaction with its audit record.
///
/// Several processes work on one table. Who ingests an upload holds a lease on it, which is only believed for a time; each step says from which state
/// it goes, so that it happens once however often it is tried.
package struct UploadTable: Sendable {
    private let database: any SQLDatabase
    private let writes: UploadWrites

    package init(database: any SQLDatabase) {
        self.database = database
        writes = UploadWrites(database: database)
    }

    // MARK: - Steps

    /// Notes that a URL is about to be issued.
    package func issue(_ session: UploadSession) async throws {
        let audit = AuditEvent(session, .urlIssued, .create, at: session.issuedAt)
        try await writes.write { transaction in
            try transaction.execute(
                SQLStatement(
                    """
                    INSERT INTO uploads (key, state, client, credential, organization, address, request, order_id,
                        filename, content_type, content_length, sha256, multipart, part_size, issued_at, expires_at,
                        changed_at)
                    VALUES ($1, 'issued', $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $14)
                    """,
                    [
                        .text(session.key.description), session.owner.client.sqlValue,
                        session.owner.credentialID.sqlValue, session.owner.organization.sqlValue,
                        session.remoteAddress.sqlValue, .text(session.requestID),
                        session.announcement.orderID.sqlValue, session.announcement.filename.sqlValue,
                        session.announcement.contentType.sqlValue, session.announcement.contentLength.sqlValue,
                        session.announcement.sha256.sqlValue, session.parts?.id.sqlValue ?? .null,
                        session.parts?.size.sqlValue ?? .null, .int(session.issuedAt), .int(session.expiresAt),
                    ]))
            try AuditLog().append([audit], in: transaction)
        }
    }

    /// Notes that an object has landed, once; `false` when that was known, or there is no such upload.
    ///
    /// - Parameter origin: The request that brought it; `nil` when it was found.
    @discardableResult
    package func receive(
        _ object: LandedObject, of session: UploadSession, from origin: IngestionOrigin? = nil, at time: Int64
    ) async throws -> Bool {
        var audit = AuditEvent(session, .urlIssued, .execute, at: time)
        audit.byteCount = object.length
        if let origin {
            audit.requestID = origin.requestID
            audit.actor.address = origin.remoteAddress
        }
        return try await writes.write { [audit] transaction in
            let count = try transaction.execute(
                SQLStatement(
                    """
                    UPDATE uploads SET state = 'received', received_at = $2, changed_at = $2, due_at = $2, bytes = $3,
                        etag = $4
                    WHERE key = $1 AND state IN ('issued', 'expired')
                    """,
                    [.text(object.key.description), .int(time), .int(Int64(object.length)), object.etag.sqlValue]))
            if count > 0 { try AuditLog().append([audit], in: transaction) }
            return count > 0
        }
    }

    /// Takes uploads that wait, or whose worker says nothing any more: small ones up to `limit`, or a large one.
    ///
    /// - Parameters:
    ///   - lease: Names the taker; it must be said again to change anything.
    ///   - until: When others may take them.
    func claim(limit: Int, bytes: Int, lease: String, at time: Int64, until: Int64) async throws -> [UploadSession] {
        try await database.write { transaction in
            let due = try transaction.rows(
                """
                SELECT key, bytes FROM uploads WHERE due_at <= \(time) ORDER BY due_at LIMIT \(limit)
                """ + SQLStatement(transaction.dialect.skippingLocked)
            ) { (key: $0.text(0), bytes: Int($0.int(1))) }
            var total = 0
            var claimed: [UploadSession] = []
            for (key, length) in due {
                total += min(length, bytes)
                guard claimed.isEmpty || total <= bytes else { break }
                try transaction.execute(
                    """
                    UPDATE uploads SET state = 'ingesting', lease = \(lease), due_at = \(until),
                        attempts = attempts + 1, changed_at = \(time)
                    WHERE key = \(key)
                    """)
                if let session = try Self.session(key, in: transaction) { claimed.append(session) }
            }
            return claimed
        }
    }

    /// Says that the taker is still busy; answers the keys that it still holds.
    @discardableResult
    func renew(_ keys: [UploadKey], lease: String, until: Int64) async throws -> [UploadKey] {
        try await database.write { transaction in
            try keys.filter { key in
                try transaction.execute(
                    """
                    UPDATE uploads SET due_at = \(until)
                    WHERE key = \(key.description) AND lease = \(lease) AND state = 'ingesting'
                    """) > 0
            }
        }
    }

    /// Ends uploads, where the taker still holds them; answers the keys of those.
    func finish(_ sessions: [UploadSession], lease: String, at time: Int64) async throws -> Set<UploadKey> {
        let rows = try sessions.map { (session: $0, failures: try UploadFailure.json($0.result.failures)) }
        return try await writes.write { transaction in
            var finished: Set<UploadKey> = []
            for (session, failures) in rows {
                let count = try transaction.execute(
                    SQLStatement(
                        """
                        UPDATE uploads SET state = $3, ended_at = $4, changed_at = $4, due_at = NULL, lease = NULL,
                            instances = $5, studies = $6, failures = $7, failure_count = $8
                        WHERE key = $1 AND lease = $2 AND state = 'ingesting'
                        """,
                        [
                            .text(session.key.description), .text(lease), .text(session.state.rawValue), .int(time),
                            .int(Int64(session.result.instances)),
                            .text(session.result.studies.joined(separator: " ")), failures.sqlValue,
                            .int(Int64(session.result.failureCount)),
                        ]))
                guard count > 0 else { continue }
                finished.insert(session.key)
                guard session.state == .rejected else { continue }
                // Its instances have records of their own; of a refusal of the whole this is the only one.
                var audit = AuditEvent(
                    session, session.result.isAlert ? .securityAlert : .requestRefused, .execute, at: time)
                audit.outcome = .minorFailure
                audit.outcomeText = session.result.failures.first?.reason
                try AuditLog().append([audit], in: transaction)
            }
            return finished
        }
    }

    /// Gives uploads back for later, where the taker still holds them.
    func postpone(_ keys: [UploadKey], lease: String, until: Int64, at time: Int64) async throws {
        try await writes.write { transaction in
            for key in keys {
                try transaction.execute(
                    """
                    UPDATE uploads SET state = 'received', due_at = \(until), lease = NULL, changed_at = \(time)
                    WHERE key = \(key.description) AND lease = \(lease) AND state = 'ingesting'
                    """)
            }
        }
    }

    /// Ends uploads whose URL ran out before this time; answers them.
    func expire(before cutoff: Int64, at time: Int64, limit: Int) async throws -> [UploadSession] {
        try await database.write { transaction in
            let keys = try transaction.rows(
                """
                SELECT key FROM uploads WHERE state = 'issued' AND expires_at < \(cutoff)
                ORDER BY expires_at LIMIT \(limit)
                """ + SQLStatement(transaction.dialect.skippingLocked)
            ) { $0.text(0) }
            return try keys.compactMap { key in
                try transaction.execute(
                    """
                    UPDATE uploads SET state = 'expired', ended_at = \(time), changed_at = \(time)
                    WHERE key = \(key) AND state = 'issued'
                    """)
                return try Self.session(key, in: transaction)
            }
        }
    }

    /// Ends an upload in parts that its sender gives up.
    package func abort(_ session: UploadSession, at time: Int64) async throws {
        try await writes.write { transaction in
            try transaction.execute(
                """
                UPDATE uploads SET state = 'expired', ended_at = \(time), changed_at = \(time)
                WHERE key = \(session.key.description) AND state = 'issued'
                """)
        }
    }

    /// Forgets what ended before this time; answers how many rows went.
    func forget(endedBefore time: Int64) async throws -> Int {
        try await database.write { transaction in
            try transaction.execute("DELETE FROM uploads WHERE ended_at < \(time)")
        }
    }

    /// Takes on a duty that one process at a time does, until a time; `false` when another has it.
    func takeDuty(_ name: String, at time: Int64, until: Int64) async throws -> Bool {
        try await database.write { transaction in
            try transaction.execute(
                """
                INSERT INTO upload_duties (name, until) VALUES (\(name), \(until))
                ON CONFLICT (name) DO UPDATE SET until = excluded.until WHERE upload_duties.until <= \(time)
                """) > 0
        }
    }

    // MARK: - Looking

    /// The upload under a key.
    package func session(_ key: UploadKey) async throws -> UploadSession? {
        try await database.read { transaction in try Self.session(key.description, in: transaction) }
    }

    /// The states of uploads; none for keys that are not in the table.
    func states(_ keys: [UploadKey]) async throws -> [UploadKey: UploadSession.State] {
        try await database.read { transaction in
            var states: [UploadKey: UploadSession.State] = [:]
            for key in keys {
                let statement = SQLStatement("SELECT state FROM uploads WHERE key = $1", [.text(key.description)])
                states[key] = try transaction.firstText(statement).flatMap(UploadSession.State.init)
            }
            return states
        }
    }

    /// How many URLs of a client are out at a time; at most `limit` are counted.
    package func outstanding(_ client: String?, at time: Int64, limit: Int) async throws -> Int {
        let owner: SQLStatement = client.map { "client = \($0)" } ?? "client IS NULL"
        return try await database.read { transaction in
            Int(
                try transaction.firstInt(
                    """
                    SELECT COUNT(*) FROM (
                        SELECT 1 AS one FROM uploads
                        WHERE \(owner) AND state = 'issued' AND expires_at > \(time) LIMIT \(limit)
                    ) AS issued
                    """) ?? 0)
        }
    }

    /// Uploads of a client that changed since a time, the last change last; of more than `limit` the last ones.
    package func changed(_ client: String?, since time: Int64, limit: Int) async throws -> [UploadSession] {
        let owner: SQLStatement = client.map { "client = \($0)" } ?? "client IS NULL"
        return try await database.read { transaction in
            try transaction.rows(
                Self.columns
                    + "WHERE \(owner) AND changed_at >= \(time) ORDER BY changed_at DESC, key LIMIT \(limit)"
            ) { try UploadSession($0) }.compactMap(\.self).reversed()
        }
    }

    /// The uploads that were issued for an order, in the order of their issue.
    package func sessions(ofOrder orderID: String, limit: Int) async throws -> [UploadSession] {
        try await database.read { transaction in
            try transaction.rows(Self.columns + "WHERE order_id = \(orderID) ORDER BY issued_at, key LIMIT \(limit)") {
                try UploadSession($0)
            }.compactMap(\.self)
        }
    }

    private static func session(_ key: String, in transaction: any SQLTransaction) throws -> UploadSession? {
        try transaction.first(columns + "WHERE key = \(key)") { try UploadSession($0) } ?? nil
    }

    private static let columns = SQLStatement(
        """
        SELECT key, state, client, credential, organization, address, request, order_id, filename, content_type,
            content_length, sha256, multipart, part_size, issued_at, expires_at, received_at, ended_at, changed_at,
            bytes, etag, attempts, instances, studies, failures, failure_count
        FROM uploads

        """)
}
