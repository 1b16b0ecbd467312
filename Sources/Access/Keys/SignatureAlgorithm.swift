/// The signatures that a token may have (RFC 7518 3.1, RFC 8037 3.1); `none` and the symmetric ones are none of them.
package enum SignatureAlgorithm: String, Hashable, Sendable, CaseIterable {
    case rs256 = "RS256"
    case ps256 = "PS256"
    case es256 = "ES256"
    case edDSA = "EdDSA"
}
