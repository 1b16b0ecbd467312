import Crypto

/// A key that signs what others can check with its public half: Ed25519 (RFC 8032).
package struct SigningKey: Sendable {
    /// The JWK thumbprint of the public key (RFC 7638).
    package let id: String
    /// The 32 bytes of the public key.
    package let publicKey: [UInt8]
    private let privateKey: Curve25519.Signing.PrivateKey

    init(privateKey: Curve25519.Signing.PrivateKey) {
        self.privateKey = privateKey
        publicKey = Array(privateKey.publicKey.rawRepresentation)
        id = Self.thumbprint(publicKey)
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

    /// The SHA-256 of the public key's JWK in its canonical form (RFC 7638; RFC 8037 A.3).
    package static func thumbprint(_ publicKey: [UInt8]) -> String {
        let jwk = #"{"crv":"Ed25519","kty":"OKP","x":"\#(Base64URL.encode(publicKey))"}"#
        return Base64URL.encode(Array(SHA256.hash(data: Array(jwk.utf8))))
    }
}

/// Base64 for addresses and file names, without padding (RFC 4648 5).
package enum Base64URL {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    /// The text of these bytes.
    package static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count * 4 + 2) / 3)
        var index = 0
        while index < bytes.count {
            let count = min(3, bytes.count - index)
            var group: UInt32 = 0
            for offset in 0..<3 { group = group << 8 | (offset < count ? UInt32(bytes[index + offset]) : 0) }
            for position in 0...count { text.append(alphabet[Int(group >> (18 - 6 * UInt32(position))) & 63]) }
            index += 3
        }
        return String(decoding: text, as: UTF8.self)
    }
}
