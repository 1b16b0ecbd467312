/// An issuer of others whose tokens are taken beside our own (uploads.md 1).
package struct TrustedIssuer: Hashable, Sendable {
    /// The exact `iss`.
    package var issuer: String
    /// What `aud` has to contain: the name under which the issuer knows this server.
    package var audience: String
    /// Where its public keys are (RFC 7517).
    package var keySetURL: String
    /// The claim with the scopes: words in a text, or a list of texts.
    package var scopeClaim = "scope"
    package var organizationClaim = "org"
    package var rolesClaim = "roles"
    /// The longest life of a token, in seconds.
    package var longestLife: Int64 = 3600
    /// The `acr` without which a token's scope `admin` does not count (security.md SEC-19).
    package var adminACR: String?

    package init(issuer: String, audience: String, keySetURL: String) {
        self.issuer = issuer
        self.audience = audience
        self.keySetURL = keySetURL
    }
}
