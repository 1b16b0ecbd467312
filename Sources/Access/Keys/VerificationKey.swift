import Crypto
import CryptoExtras
import FoundationEssentials

/// A public key of an issuer (RFC 7517).
package struct VerificationKey: Sendable {
    private enum Material: Sendable {
        case rsa(_RSA.Signing.PublicKey)
        case p256(P256.Signing.PublicKey)
        case ed25519(Curve25519.Signing.PublicKey)
    }

    package let id: String?
    /// The algorithm that the key is for, when its issuer says so.
    private let algorithm: String?
    private let material: Material

    /// Takes a JSON Web Key; `nil` for keys that are of no use here: of other kinds, symmetric, weak, or for encryption.
    package init?(_ value: StrictJSON) {
        if let use = value["use"], use.string != "sig" { return nil }
        func bytes(_ name: String) -> [UInt8]? { value[name]?.string.flatMap { Base64URL.decode($0.utf8) } }
        switch (value["kty"]?.string, value["crv"]?.string) {
        case ("RSA", nil):
            // The library takes no key below 2,048 bits here.
            guard let modulus = bytes("n"), modulus.count <= 1024, let exponent = bytes("e"), exponent.count <= 8,
                let key = try? _RSA.Signing.PublicKey(n: modulus, e: exponent)
            else { return nil }
            material = .rsa(key)
        case ("EC", "P-256"):
            guard let x = bytes("x"), let y = bytes("y"), x.count == 32, y.count == 32,
                let key = try? P256.Signing.PublicKey(rawRepresentation: x + y)
            else { return nil }
            material = .p256(key)
        case ("OKP", "Ed25519"):
            guard let x = bytes("x"), let key = try? Curve25519.Signing.PublicKey(rawRepresentation: x) else {
                return nil
            }
            material = .ed25519(key)
        default: return nil
        }
        id = value["kid"]?.string
        algorithm = value["alg"]?.string
    }

    init(id: String, _ key: P256.Signing.PublicKey) {
        self.id = id
        algorithm = SignatureAlgorithm.es256.rawValue
        material = .p256(key)
    }

    /// Whether the signature is this key's over the bytes. A key takes part in the algorithms of its own kind only.
    func verifies(_ signature: [UInt8], of signed: some Collection<UInt8>, by algorithm: SignatureAlgorithm) -> Bool {
        guard self.algorithm == nil || self.algorithm == algorithm.rawValue else { return false }
        switch (material, algorithm) {
        case (.rsa(let key), .rs256):
            return key.isValidSignature(
                _RSA.Signing.RSASignature(rawRepresentation: signature), for: SHA256.hash(data: Array(signed)),
                padding: .insecurePKCS1v1_5)
        case (.rsa(let key), .ps256):
            return key.isValidSignature(
                _RSA.Signing.RSASignature(rawRepresentation: signature), for: SHA256.hash(data: Array(signed)),
                padding: .PSS)
        case (.p256(let key), .es256):
            guard let signature = try? P256.Signing.ECDSASignature(rawRepresentation: signature) else { return false }
            return key.isValidSignature(signature, for: SHA256.hash(data: Array(signed)))
        case (.ed25519(let key), .edDSA):
            return key.isValidSignature(signature, for: Array(signed))
        case (.rsa, .es256), (.rsa, .edDSA), (.p256, .rs256), (.p256, .ps256), (.p256, .edDSA), (.ed25519, .rs256),
            (.ed25519, .ps256), (.ed25519, .es256):
            return false
        }
    }
}

/// The keys of one issuer (RFC 7517 5).
package struct VerificationKeySet: Sendable {
    private let keys: [VerificationKey]
    private static let mostKeys = 64

    package init(_ keys: [VerificationKey]) { self.keys = keys }

    /// Takes a JWK Set document; `nil` when it is none. Keys that are of no use are left out.
    package init?(document: [UInt8]) {
        guard case .array(let values)? = StrictJSON(document)?["keys"], values.count <= Self.mostKeys else {
            return nil
        }
        keys = values.compactMap(VerificationKey.init)
    }

    /// The key that a token names; without a name the only key there is.
    func key(named id: String?) -> VerificationKey? {
        guard let id else { return keys.count == 1 ? keys.first : nil }
        return keys.first { $0.id == id }
    }
}
