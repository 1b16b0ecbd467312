import Crypto
import FoundationEssentials
package import SQLStorage

/// Our own keys for tokens (ES256), in the database, so that all processes on it issue and take the same tokens.
///
/// A key signs for thirty days. Its successor is published a day before it signs, and it stays published until the last
/// token that it signed has ended, so that a change fails no request (security.md SEC-08, SEC-17).
package actor SigningKeys {
    private struct Key: Sendable {
        var id: String
        var privateKey: P256.Signing.PrivateKey
        var signsFrom: Int64
        var signsUntil: Int64
        var publishedUntil: Int64
    }

    private let database: any SQLDatabase
    private let clock: @Sendable () -> Int64
    private var keys: [Key] = []
    private var loadedAt = Int64.min

    private static let day: Int64 = 86_400_000
    private static let signingTime = 30 * day
    private static let announcement = day
    /// How long a key is published behind its last signature: longer than a token lives.
    private static let remembrance: Int64 = 2 * 3_600_000
    /// How old what we know of the table may be.
    private static let freshness: Int64 = 30_000

    package init(database: any SQLDatabase, clock: @escaping @Sendable () -> Int64) {
        self.database = database
        self.clock = clock
    }

    /// The signature of our key over the bytes that `make` gives for the key's id, behind a dot as a token has it
    /// (RFC 7515 7.1).
    package func sign(_ make: @Sendable (_ keyID: String) -> String) async throws -> String {
        let now = clock()
        var key = current(now)
        if key == nil || isStale(now) {
            try await load(now)
            key = current(now)
        }
        guard let key else { throw AccessError(.unavailable, "there is no signing key") }
        let signed = make(key.id)
        let signature = try key.privateKey.signature(for: Array(signed.utf8))
        return signed + "." + Base64URL.encode(signature.rawRepresentation)
    }

    /// The key of this id, when it is one of ours and published.
    func verificationKey(_ id: String) async throws -> VerificationKey? {
        let now = clock()
        // Another process may have made it a moment ago; ids that are nobody's must not cost a look each.
        if isStale(now) || (!keys.contains { $0.id == id } && now - loadedAt >= 1000) { try await load(now) }
        guard let key = keys.first(where: { $0.id == id && $0.publishedUntil > now }) else { return nil }
        return VerificationKey(id: key.id, key.privateKey.publicKey)
    }

    /// The public keys as a JWK Set document (RFC 7517 5).
    package func document() async throws -> String {
        let now = clock()
        if isStale(now) { try await load(now) }
        var set = JSONObjectText()
        set.add(
            "keys",
            objects: keys.filter { $0.publishedUntil > now }.map { key in
                let point = Array(key.privateKey.publicKey.rawRepresentation)
                var object = JSONObjectText()
                object.add("kty", "EC")
                object.add("crv", "P-256")
                object.add("use", "sig")
                object.add("alg", SignatureAlgorithm.es256.rawValue)
                object.add("kid", key.id)
                object.add("x", Base64URL.encode(point.prefix(32)))
                object.add("y", Base64URL.encode(point.suffix(32)))
                return object
            })
        return set.text
    }

    /// Signs with a new key from now on; tokens of the old one are taken until they end.
    package func rotate() async throws {
        let now = clock()
        let key = Self.makeKey(from: now)
        try await database.write { transaction in
            if let lock = transaction.dialect.lock("signing_keys") { try transaction.execute(lock) }
            try transaction.execute("DELETE FROM signing_keys WHERE signs_from > \(now)")
            try transaction.execute(
                """
                UPDATE signing_keys SET signs_until = \(now), published_until = \(now + Self.remembrance)
                WHERE signs_until > \(now)
                """)
            try Self.insert(key, in: transaction)
        }
        try await load(now)
    }

    private func current(_ now: Int64) -> Key? {
        keys.first { $0.signsFrom <= now && now < $0.signsUntil }
    }

    private func isStale(_ now: Int64) -> Bool {
        loadedAt == .min || now - loadedAt >= Self.freshness || now < loadedAt
    }

    /// Reads the table, and adds the key that will be needed next.
    private func load(_ now: Int64) async throws {
        var found = try await database.read { try Self.keys(in: $0) }
        if Self.next(after: found, now: now) != nil {
            found = try await database.write { transaction in
                if let lock = transaction.dialect.lock("signing_keys") { try transaction.execute(lock) }
                try transaction.execute("DELETE FROM signing_keys WHERE published_until <= \(now)")
                // Another process may have been faster.
                if let start = Self.next(after: try Self.keys(in: transaction), now: now) {
                    try Self.insert(Self.makeKey(from: start), in: transaction)
                }
                return try Self.keys(in: transaction)
            }
        }
        keys = found
        loadedAt = now
    }

    /// When the next key begins to sign, if it is time to make it.
    private static func next(after keys: [Key], now: Int64) -> Int64? {
        guard let last = keys.map(\.signsUntil).max(), last > now else { return now }
        return last - now <= announcement ? last : nil
    }

    private static func makeKey(from start: Int64) -> Key {
        Key(
            id: Base64URL.encode(RandomBytes.make(12)), privateKey: P256.Signing.PrivateKey(), signsFrom: start,
            signsUntil: start + signingTime, publishedUntil: start + signingTime + remembrance)
    }

    private static func insert(_ key: Key, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            INSERT INTO signing_keys (id, private_key, signs_from, signs_until, published_until)
            VALUES (\(key.id), \(Array(key.privateKey.rawRepresentation)), \(key.signsFrom), \(key.signsUntil),
                    \(key.publishedUntil))
            """)
    }

    private static func keys(in transaction: any SQLTransaction) throws -> [Key] {
        try transaction.rows(
            "SELECT id, private_key, signs_from, signs_until, published_until FROM signing_keys ORDER BY signs_from"
        ) { row in
            Key(
                id: row.text(0), privateKey: try P256.Signing.PrivateKey(rawRepresentation: row.bytes(1)),
                signsFrom: row.int(2), signsUntil: row.int(3), publishedUntil: row.int(4))
        }
    }
}
