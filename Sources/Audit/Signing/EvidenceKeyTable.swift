package import SQLStorage

/// The keys that all processes on one database share.
package enum EvidenceKeyTable {
    /// What a key is for.
    package enum Purpose: String, Hashable, Sendable {
        case auditCheckpoint = "audit-checkpoint"
        case orderReceipt = "order-receipt"
    }

    /// The newest key of a purpose; it is made when there is none. Processes that start together agree on one.
    package static func key(_ purpose: Purpose, in database: any SQLDatabase, now: Int64) async throws -> EvidenceKey {
        if let key = try await database.read({ try newest(purpose, in: $0) }) { return key }
        let made = EvidenceKey()
        return try await database.write { transaction in
            if let lock = transaction.dialect.lock("evidence_keys") { try transaction.execute(lock) }
            if let key = try newest(purpose, in: transaction) { return key }
            try transaction.execute(
                """
                INSERT INTO evidence_keys (id, purpose, private_key, public_key, created_at)
                VALUES (\(made.id), \(purpose.rawValue), \(made.privateBytes), \(made.publicKey), \(now))
                """)
            return made
        }
    }

    /// The public key of this id; `nil` when it is none of ours.
    package static func publicKey(_ id: String, in transaction: any SQLTransaction) throws -> [UInt8]? {
        try transaction.first("SELECT public_key FROM evidence_keys WHERE id = \(id)") { $0.bytes(0) }
    }

    /// The public keys of a purpose, the newest first.
    package static func publicKeys(
        _ purpose: Purpose, in database: any SQLDatabase
    ) async throws -> [(id: String, key: [UInt8])] {
        try await database.read { transaction in
            try transaction.rows(
                "SELECT id, public_key FROM evidence_keys WHERE purpose = \(purpose.rawValue) ORDER BY created_at DESC, id"
            ) { (id: $0.text(0), key: $0.bytes(1)) }
        }
    }

    private static func newest(_ purpose: Purpose, in transaction: any SQLTransaction) throws -> EvidenceKey? {
        let bytes = try transaction.first(
            """
            SELECT private_key FROM evidence_keys WHERE purpose = \(purpose.rawValue) ORDER BY created_at DESC, id LIMIT 1
            """
        ) { $0.bytes(0) }
        guard let bytes else { return nil }
        guard let key = EvidenceKey(privateKey: bytes) else {
            throw SQLError(.corrupt, "a signing key's row holds no key")
        }
        return key
    }
}
