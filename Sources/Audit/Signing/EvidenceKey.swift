import Crypto

/// A key for what has to be proved long afterwards, as checkpoints and receipts: Ed25519 (RFC 8032). It is kept for good,
/// unlike the keys of tokens.
package struct EvidenceKey: Sendable {
    /// The first 16 bytes of the public key's SHA-256, in hexadecimal.
    package let id: String
    /// The 32 bytes of the public key.
    package let publicKey: [UInt8]
    private let privateKey: Curve25519.Signing.PrivateKey

    init(privateKey: Curve25519.Signing.PrivateKey) {
        self.privateKey = privateKey
        publicKey = Array(privateKey.publicKey.rawRepresentation)
        id = Hexadecimal.text(SHA256.hash(data: publicKey).prefix(16))
    }

    /// Takes the 32 bytes of the private key; `nil` when they are none.
    package init?(privateKey: [UInt8]) {
        guard let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: privateKey) else { return nil }
        self.init(privateKey: key)
    }

    /// Makes one.
    package init() { self.init(privateKey: Curve25519.Signing.PrivateKey()) }

    var privateBytes: [UInt8] { Array(privateKey.rawRepresentation) }

    /// The signature, 64 bytes.
    package func sign(_ bytes: [UInt8]) throws -> [UInt8] { Array(try privateKey.signature(for: bytes)) }

    /// Whether the signature is that of the public key's owner.
    package static func verifies(_ signature: [UInt8], of bytes: [UInt8], with publicKey: [UInt8]) -> Bool {
        guard let key = try? Curve25519.Signing.PublicKey(rawRepresentation: publicKey) else { return false }
        return key.isValidSignature(signature, for: bytes)
    }
}
