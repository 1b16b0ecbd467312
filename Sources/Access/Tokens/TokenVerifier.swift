/// What a token that was checked says.
struct VerifiedToken: Sendable {
    var isOurs: Bool
    var subject: String
    var id: String?
    var organization: String?
    var scopes: Set<Scope>
    var roles: Set<String>
    /// In milliseconds since 1970.
    var expiresAt: Int64
    /// When it is refused: a little later, as clocks differ.
    var refusedFrom: Int64 { expiresAt + TokenVerifier.leeway }
    /// SHA-256 of the client certificate that the token is bound to (RFC 8705 3.1).
    var certificateDigest: [UInt8]?
}

/// Checks tokens of our own and of the issuers that are trusted (security.md C.2, RFC 9068 4).
struct TokenVerifier: Sendable {
    let issuer: String
    let audience: String
    let signingKeys: SigningKeys
    /// By their `iss`.
    let trusted: [String: (issuer: TrustedIssuer, keys: RemoteKeySet)]
    let clock: @Sendable () -> Int64

    /// How far clocks may differ.
    fileprivate static let leeway: Int64 = 60_000

    func verify(_ text: String) async throws -> VerifiedToken {
        let token = try CompactToken(text)
        guard let issuer = token.claims["iss"]?.string else {
            throw AccessError(.invalid, "the token has no issuer")
        }
        if issuer == self.issuer {
            guard token.algorithm == .es256, let id = token.keyID,
                let key = try await signingKeys.verificationKey(id),
                key.verifies(token.signature, of: token.signed, by: .es256)
            else { throw AccessError(.invalid, "the token is not signed by us") }
            return try read(
                token.claims, TrustedIssuer(issuer: issuer, audience: audience, keySetURL: ""), isOurs: true)
        }
        guard let trusted = trusted[issuer] else { throw AccessError(.invalid, "the token's issuer is not trusted") }
        let key = try await trusted.keys.key(named: token.keyID)
        guard let key, key.verifies(token.signature, of: token.signed, by: token.algorithm) else {
            throw AccessError(.invalid, "the token is not signed by its issuer")
        }
        return try read(token.claims, trusted.issuer, isOurs: false)
    }

    /// The claims of a token whose signature is good.
    private func read(
        _ claims: StrictJSON, _ issuer: TrustedIssuer, isOurs: Bool
    ) throws(AccessError) -> VerifiedToken {
        guard let audiences = claims["aud"]?.strings, audiences.contains(issuer.audience) else {
            throw AccessError(.invalid, "the token is for somebody else")
        }
        guard let subject = claims["sub"]?.string, !subject.isEmpty, subject.utf8.count <= 256 else {
            throw AccessError(.invalid, "the token has no subject")
        }
        let now = clock()
        guard let expiry = Self.time(claims["exp"]), let issued = Self.time(claims["iat"]) else {
            throw AccessError(.invalid, "the token does not tell its times")
        }
        guard issued <= now + Self.leeway, expiry - issued <= issuer.longestLife * 1000 + Self.leeway else {
            throw AccessError(.invalid, "the token's times are not taken")
        }
        if let start = claims["nbf"] {
            guard let start = Self.time(start), start <= now + Self.leeway else {
                throw AccessError(.invalid, "the token is not valid yet")
            }
        }
        guard now < expiry + Self.leeway else { throw AccessError(.expired, "the token has expired") }
        var scopes = Set(
            (claims[issuer.scopeClaim]?.strings ?? []).flatMap { $0.split(separator: " ") }.map {
                Scope(rawValue: String($0))
            }.filter(Scope.all.contains))
        if let acr = issuer.adminACR, claims["acr"]?.string != acr { scopes.remove(.admin) }
        return VerifiedToken(
            isOurs: isOurs, subject: subject, id: claims["jti"]?.string.map { String($0.prefix(128)) },
            organization: claims[issuer.organizationClaim]?.string, scopes: scopes,
            roles: Set(claims[issuer.rolesClaim]?.strings ?? []), expiresAt: expiry,
            certificateDigest: try Self.certificateDigest(claims["cnf"]))
    }

    /// What the token is bound to. A binding that cannot be checked here is not a reason to take the token without it.
    private static func certificateDigest(_ confirmation: StrictJSON?) throws(AccessError) -> [UInt8]? {
        guard let confirmation else { return nil }
        guard case .object(let members) = confirmation, members.count == 1,
            let digest = members["x5t#S256"]?.string.flatMap({ Base64URL.decode($0.utf8) })
        else { throw AccessError(.invalid, "the token is bound to a proof that is not taken") }
        return digest
    }

    /// A NumericDate in milliseconds (RFC 7519 2).
    private static func time(_ value: StrictJSON?) -> Int64? {
        guard let seconds = value?.number, seconds >= 0, seconds < 1e11 else { return nil }
        return Int64(seconds * 1000)
    }
}
