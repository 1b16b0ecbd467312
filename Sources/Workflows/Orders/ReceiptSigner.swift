package import Audit

/// What signs receipts: an algorithm of JOSE, the key's name, and the act.
package struct ReceiptSigner: Sendable {
    /// The `alg` of the signature (RFC 7518 3.1, RFC 8037 3.1): `EdDSA`, `ES256`.
    package let algorithm: String
    /// The `kid`.
    package let keyID: String
    /// The signature over the bytes.
    package let sign: @Sendable ([UInt8]) async throws -> [UInt8]

    package init(
        algorithm: String, keyID: String, sign: @escaping @Sendable ([UInt8]) async throws -> [UInt8]
    ) {
        self.algorithm = algorithm
        self.keyID = keyID
        self.sign = sign
    }

    /// Signs with an Ed25519 key.
    package init(_ key: SigningKey) {
        self.init(algorithm: "EdDSA", keyID: key.id) { try key.sign($0) }
    }
}
