import Crypto
package import SQLStorage

/// Writes the audit trail: a chain of records, each holding the hash of the one before it (security.md C.6).
///
/// The end of the chain is read in the transaction that appends to it, so a rollback leaves nothing behind. Several
/// writers take turns, and cannot fork the chain, because the sequence number is the key. Where many instances of one request and
/// study fare alike, the caller makes one event of them: cost is per event, not per instance.
package struct AuditLog: Sendable {
    package init() {}

    /// Appends events in their order, in the caller's transaction.
    package func append(_ events: [AuditEvent], in transaction: any SQLTransaction) throws {
        guard !events.isEmpty else { return }
        if let lock = transaction.dialect.lock("audit_records") { try transaction.enqueue(lock) }
        var head = try Self.head(in: transaction)
        for event in events {
            let record = event.canonicalJSON
            head = head.next(record)
            try transaction.enqueue(
                SQLStatement(
                    """
                    INSERT INTO audit_records (sequence, time, client, study, record, hash)
                    VALUES ($1, $2, $3, $4, $5, $6)
                    """,
                    [
                        .int(head.sequence), .int(event.time), event.actor.client.sqlValue, event.study.sqlValue,
                        .bytes(record), .bytes(head.hash),
                    ]))
        }
    }

    /// The end of the chain.
    package static func head(in transaction: any SQLTransaction) throws -> AuditHead {
        try transaction.first("SELECT sequence, hash FROM audit_records ORDER BY sequence DESC LIMIT 1") { row in
            AuditHead(sequence: row.int(0), hash: row.bytes(1))
        } ?? .start
    }
}

/// The end of the chain at some time. Kept elsewhere, it shows later whether records were cut off (SEC-61).
package struct AuditHead: Hashable, Sendable {
    /// The number of the last record; 0 before the first.
    package var sequence: Int64
    /// SHA-256 of the last record and all before it.
    package var hash: [UInt8]

    package init(sequence: Int64, hash: [UInt8]) {
        self.sequence = sequence
        self.hash = hash
    }

    /// Before the first record.
    package static let start = AuditHead(sequence: 0, hash: [UInt8](repeating: 0, count: 32))

    /// The end of the chain behind one more record: SHA-256 over the previous hash, the sequence number in eight
    /// bytes, big endian, and the record's text.
    func next(_ record: [UInt8]) -> AuditHead {
        let sequence = sequence + 1
        var hasher = SHA256()
        hasher.update(data: hash)
        withUnsafeBytes(of: sequence.bigEndian) { hasher.update(bufferPointer: $0) }
        hasher.update(data: record)
        return AuditHead(sequence: sequence, hash: Array(hasher.finalize()))
    }
}
