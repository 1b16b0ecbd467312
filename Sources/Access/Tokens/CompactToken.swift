/// A signed JSON Web Token in its compact form, taken apart and not yet believed (RFC 7515 7.1, RFC 7519).
struct CompactToken: Sendable {
    let algorithm: SignatureAlgorithm
    let keyID: String?
    let claims: StrictJSON
    let signature: [UInt8]
    /// What the signature is over.
    let signed: [UInt8]

    static let longest = 8 << 10

    /// Refuses everything that a token of ours or of an issuer has no use for (security.md C.2).
    init(_ text: String) throws(AccessError) {
        guard text.utf8.count <= Self.longest else { throw AccessError(.invalid, "the token is too long") }
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3, !parts[2].isEmpty, let headerBytes = Base64URL.decode(parts[0]),
            let claimBytes = Base64URL.decode(parts[1]), let signature = Base64URL.decode(parts[2]),
            let header = StrictJSON(headerBytes), let claims = StrictJSON(claimBytes), case .object = claims
        else { throw AccessError(.invalid, "the token is not a signed JWT") }
        guard let algorithm = header["alg"]?.string.flatMap(SignatureAlgorithm.init(rawValue:)) else {
            throw AccessError(.invalid, "the token's algorithm is not taken")
        }
        // Keys come from us or from the issuer that is configured, never from the token.
        for name in ["crit", "jwk", "jku", "x5u", "x5c", "b64"] where header[name] != nil {
            throw AccessError(.invalid, "the token's header has members that are not taken")
        }
        if let type = header["typ"] {
            guard let type = type.string?.lowercased(), ["jwt", "at+jwt", "application/at+jwt"].contains(type) else {
                throw AccessError(.invalid, "the token is of another type")
            }
        }
        if let keyID = header["kid"], keyID.string == nil {
            throw AccessError(.invalid, "the token's key id is not a text")
        }
        self.algorithm = algorithm
        self.keyID = header["kid"]?.string
        self.claims = claims
        self.signature = signature
        signed = Array(text.utf8[..<parts[1].endIndex])
    }
}
