/// A token that was made, with what its bearer is told of it.
package struct IssuedToken: Sendable {
    package var text: String
    package var id: String
    /// Seconds.
    package var lifetime: Int64
    package var scopes: Set<Scope>
}

/// Makes our own access tokens (RFC 9068, ES256).
package struct TokenIssuer: Sendable {
    /// `iss`.
    let issuer: String
    /// `aud`.
    let audience: String
    let signingKeys: SigningKeys
    let clock: @Sendable () -> Int64

    /// Seconds that a token is good for.
    package static let lifetime: Int64 = 3600

    /// A token for a client whose secret was checked.
    package func issue(to client: Client, scopes: Set<Scope>) async throws -> IssuedToken {
        let now = clock() / 1000
        let id = Base64URL.encode(RandomBytes.make(16))
        var claims = JSONObjectText()
        claims.add("iss", issuer)
        claims.add("sub", client.id)
        claims.add("aud", audience)
        claims.add("exp", now + Self.lifetime)
        claims.add("iat", now)
        claims.add("jti", id)
        claims.add("client_id", client.id)
        claims.add("scope", scopes.text)
        claims.add("org", client.organization)
        let payload = Base64URL.encode(claims.text.utf8)
        let text = try await signingKeys.sign { keyID in
            var header = JSONObjectText()
            header.add("alg", SignatureAlgorithm.es256.rawValue)
            header.add("typ", "at+jwt")
            header.add("kid", keyID)
            return Base64URL.encode(header.text.utf8) + "." + payload
        }
        return IssuedToken(text: text, id: id, lifetime: Self.lifetime, scopes: scopes)
    }
}
