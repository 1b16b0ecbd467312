import Crypto
package import SQLStorage
import Synchronization

/// What a request carries to say who asks.
package enum Credential: Hashable, Sendable {
    /// A JSON Web Token (RFC 6750).
    case token(String)
    /// `gk_<id>_<secret>`.
    case apiKey(String)
}

/// Whom the server trusts and what it calls itself.
package struct AccessRules: Sendable {
    /// `iss` of our own tokens.
    package var issuer: String
    /// `aud` of our own tokens.
    package var audience: String
    package var trustedIssuers: [TrustedIssuer]

    package init(issuer: String, audience: String, trustedIssuers: [TrustedIssuer] = []) {
        self.issuer = issuer
        self.audience = audience
        self.trustedIssuers = trustedIssuers
    }
}

/// Turns credentials into principals.
///
/// What was checked is believed for five seconds, and one more while it is checked again: so a request costs a hash and a look-up, and a disabled client or a
/// revoked key is out after that time in every process.
package final class CredentialVerifier: Sendable {
    package let clients: ClientTable
    package let apiKeys: APIKeyTable
    package let signingKeys: SigningKeys
    package let tokenIssuer: TokenIssuer
    private let tokens: TokenVerifier
    private let database: any SQLDatabase
    private let hashing: SecretHashing
    private let throttle: CredentialThrottle
    private let clock: @Sendable () -> Int64
    private let verified: Mutex<RecentValues<SHA256.Digest, Verified>>
    /// The hash that a client's secret was found to match.
    private let secrets: Mutex<RecentValues<SHA256.Digest, SecretHash>>
    private let requirement: Mutex<Requirement>

    private struct Verified: Sendable {
        var principal: Principal
        /// When it is checked again.
        var until: Int64
        /// When it ends by itself.
        var end: Int64
        var networks: AddressRanges?
        var certificateDigest: [UInt8]?
    }

    private struct Requirement: Sendable {
        var isRequired: Bool
        var checkedAt: Int64
    }

    private static let belief: Int64 = 5_000
    private static let checkingTime: Int64 = 1_000
    private static let requirementBelief: Int64 = 2_000
    private static let useNoted: Int64 = 10 * 60_000

    /// - Parameters:
    ///   - fetch: gets the key set of a trusted issuer from its address.
    package init(
        rules: AccessRules, database: any SQLDatabase, throttle: CredentialThrottle = CredentialThrottle(),
        hashing: SecretHashing = SecretHashing(),
        clock: @escaping @Sendable () -> Int64, fetch: @escaping @Sendable (String) async throws -> KeySetDocument
    ) {
        self.database = database
        self.throttle = throttle
        self.clock = clock
        self.hashing = hashing
        clients = ClientTable(database: database, hashing: hashing)
        apiKeys = APIKeyTable(database: database)
        signingKeys = SigningKeys(database: database, clock: clock)
        tokenIssuer = TokenIssuer(
            issuer: rules.issuer, audience: rules.audience, signingKeys: signingKeys, clock: clock)
        let trusted = rules.trustedIssuers.map { issuer in
            (issuer.issuer, (issuer: issuer, keys: RemoteKeySet(url: issuer.keySetURL, clock: clock, fetch: fetch)))
        }
        tokens = TokenVerifier(
            issuer: rules.issuer, audience: rules.audience, signingKeys: signingKeys,
            trusted: Dictionary(trusted) { first, _ in first }, clock: clock)
        verified = Mutex(RecentValues(limit: 16_384))
        secrets = Mutex(RecentValues(limit: 1_024))
        requirement = Mutex(Requirement(isRequired: !rules.trustedIssuers.isEmpty, checkedAt: .min))
    }

    /// Whether anybody could have a credential. As long as not, nobody is asked for one; from the first client or key on,
    /// or with a trusted issuer, everybody is.
    package func isRequired() async throws -> Bool {
        let now = clock()
        // One request in a while looks; the others go on with what was so a moment ago.
        let known = requirement.withLock { requirement -> Bool? in
            if requirement.isRequired { return true }
            guard requirement.checkedAt != .min else { return nil }
            if now >= requirement.checkedAt, now - requirement.checkedAt < Self.requirementBelief { return false }
            requirement.checkedAt = now
            return nil
        }
        if let known { return known }
        let isRequired = try await database.read { transaction in
            try transaction.exists("SELECT 1 FROM clients") || transaction.exists("SELECT 1 FROM api_keys")
        }
        requirement.withLock { requirement in
            requirement.isRequired = requirement.isRequired || isRequired
            requirement.checkedAt = now
        }
        return isRequired
    }

    /// Who the credential's bearer is. Throws ``AccessError``.
    /// - Parameters:
    ///   - address: the network address of the other side.
    ///   - certificate: SHA-256 of the certificate that the other side showed; asked for tokens that are bound to one.
    package func principal(
        for credential: Credential, from address: String?,
        certificate: @Sendable () async -> [UInt8]? = { nil }
    ) async throws -> Principal {
        let now = clock()
        let digest: SHA256.Digest
        switch credential {
        case .token(let text): digest = Self.digest("token", text)
        case .apiKey(let text): digest = Self.digest("key", text)
        }
        let found: Verified
        if let known = verified.withLock({ Self.known(digest, now, in: &$0) }) {
            found = known
        } else {
            do {
                found = try await check(credential, address, now: now)
                verified.withLock { $0[digest] = found }
            } catch {
                verified.withLock { $0[digest] = nil }
                throw error
            }
        }
        if let networks = found.networks, !networks.contains(address) {
            throw AccessError(
                .invalid, "the key is not taken from this address", claimedID: found.principal.credentialID)
        }
        if let bound = found.certificateDigest {
            guard let shown = await certificate(), ConstantTime.areEqual(bound, shown) else {
                throw AccessError(
                    .invalid, "the token is bound to another certificate", claimedID: found.principal.credentialID)
            }
        }
        return found.principal
    }

    /// The client with this secret, for the token endpoint. Throws ``AccessError``; who is unknown, disabled or has
    /// another secret gets the same answer after the same time.
    package func client(_ id: String, secret: String, from address: String?) async throws -> Client {
        let now = clock()
        try refuseGuesser(id, address, now: now)
        let digest = Self.digest(id, secret)
        let known = secrets.withLock { $0[digest] }
        let found = try await clients.withSecrets(id, now: now)
        if let found, found.client.isEnabled, let known, found.secrets.contains(known) { return found.client }
        var match: SecretHash?
        for hash in found?.secrets ?? [hashing.nobody] where match == nil {
            if try await hashing.matches(secret, hash) { match = hash }
        }
        guard let match, let found, found.client.isEnabled else {
            throw bad(AccessError(.invalid, "the client or its secret is wrong", claimedID: id), id, address, now: now)
        }
        secrets.withLock { $0[digest] = match }
        return found.client
    }

    /// What is believed of a credential. When the time has come to check it again, one request does, and those that come
    /// meanwhile go on with what was so a moment ago.
    private static func known(
        _ digest: SHA256.Digest, _ now: Int64, in verified: inout RecentValues<SHA256.Digest, Verified>
    ) -> Verified? {
        guard let found = verified[digest], now < found.end else { return nil }
        if now < found.until { return found }
        if now - found.until < belief {
            var kept = found
            kept.until = now + checkingTime
            verified[digest] = kept
        }
        return nil
    }

    private func check(_ credential: Credential, _ address: String?, now: Int64) async throws -> Verified {
        switch credential {
        case .apiKey(let text): return try await checkKey(text, address, now: now)
        case .token(let text):
            do {
                return try await checkToken(text, now: now)
            } catch let error as AccessError where error.code == .invalid {
                throw bad(error, "token", address, now: now)
            }
        }
    }

    private func checkToken(_ text: String, now: Int64) async throws -> Verified {
        let token = try await tokens.verify(text)
        var principal = Principal(
            client: token.subject, credentialID: token.id, organization: token.organization, scopes: token.scopes,
            roles: token.roles, expiresAt: token.expiresAt)
        if token.isOurs {
            guard let client = try await clients.client(token.subject), client.isEnabled else {
                throw AccessError(.invalid, "the token's client is disabled", claimedID: token.subject)
            }
            principal.scopes.formIntersection(client.scopes)
            principal.roles = client.roles
        }
        return Verified(
            principal: principal, until: now + Self.belief, end: token.refusedFrom, networks: nil,
            certificateDigest: token.certificateDigest)
    }

    private func checkKey(_ text: String, _ address: String?, now: Int64) async throws -> Verified {
        guard let sent = APIKeyText(text) else {
            throw bad(AccessError(.invalid, "this is no API key"), "key", address, now: now)
        }
        try refuseGuesser(sent.id, address, now: now)
        let found = try await apiKeys.find(sent.id)
        let digest = found?.digest ?? [UInt8](repeating: 0, count: 32)
        let isRight = ConstantTime.areEqual(digest, sent.digest)
        guard let found, isRight, found.key.revokedAt == nil, found.key.expiresAt.map({ $0 > now }) ?? true else {
            throw bad(
                AccessError(.invalid, "the API key is wrong, ended or revoked", claimedID: sent.id), sent.id, address,
                now: now)
        }
        var scopes = found.key.scopes
        if found.key.client != nil {
            guard let client = found.client, client.isEnabled else {
                throw AccessError(.invalid, "the API key's client is disabled", claimedID: sent.id)
            }
            scopes.formIntersection(client.scopes)
        }
        if now - (found.key.lastUsedAt ?? 0) > Self.useNoted { apiKeys.noteUse(sent.id, now: now) }
        let principal = Principal(
            client: found.key.client ?? APIKey.prefix + sent.id, credentialID: sent.id,
            organization: found.key.organization ?? found.client?.organization, scopes: scopes,
            roles: found.client?.roles ?? [], expiresAt: found.key.expiresAt)
        let networks = AddressRanges(found.key.networks)
        return Verified(
            principal: principal, until: now + Self.belief, end: found.key.expiresAt ?? .max,
            networks: found.key.networks.isEmpty ? nil : networks, certificateDigest: nil)
    }

    private func refuseGuesser(_ id: String, _ address: String?, now: Int64) throws(AccessError) {
        guard let wait = throttle.wait(client: id, address: address, now: now) else { return }
        throw Self.throttled(wait, id)
    }

    /// The error for a bad try: the one given, or that there were too many.
    private func bad(_ error: AccessError, _ id: String, _ address: String?, now: Int64) -> AccessError {
        throttle.noteBad(client: id, address: address, now: now).map { Self.throttled($0, id) } ?? error
    }

    private static func throttled(_ wait: Int64, _ id: String) -> AccessError {
        AccessError(
            .throttled(seconds: Int((wait + 999) / 1000)), "too many bad credentials came from there", claimedID: id)
    }

    private static func digest(_ kind: String, _ text: String) -> SHA256.Digest {
        var hasher = SHA256()
        for part in [kind, "\0", text] {
            var part = part
            part.withUTF8 { hasher.update(bufferPointer: UnsafeRawBufferPointer($0)) }
        }
        return hasher.finalize()
    }
}
