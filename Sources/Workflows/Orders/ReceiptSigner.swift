import Access
package import Audit

/// What signs receipts: an algorithm of JOSE, the key's name, and the act.
package struct ReceiptSigner: Sendable {
    /// The `alg` of the signature (RFC 7518 3.1, RFC 8037 3.1): `EdDSA`, `ES256`.
    package let algorithm: String
    /// The `kid`.
    package let keyID: String
    /// The public key as a JWK (RFC 7517).
    package let publicKey: OrderedJSON
    /// The signature over the bytes.
    package let sign: @Sendable ([UInt8]) async throws -> [UInt8]

    package init(
        algorithm: String, keyID: String, publicKey: OrderedJSON,
        sign: @escaping @Sendable ([UInt8]) async throws -> [UInt8]
    ) {
        self.algorithm = algorithm
        self.keyID = keyID
        self.publicKey = publicKey
        self.sign = sign
    }

    /// Signs with an Ed25519 key.
    package init(_ key: EvidenceKey) {
        let jwk: OrderedJSON = [
            "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": .string(key.id),
            "x": .string(Base64URL.encode(key.publicKey)),
        ]
        self.init(algorithm: "EdDSA", keyID: key.id, publicKey: jwk) { try key.sign($0) }
    }
}
