import Crypto
import CryptoExtras
import FoundationEssentials
import GantryTesting
import SQLStorage
import SQLiteStorage
import Synchronization
import Testing

@testable import Access

/// A database of its own, a clock, and an issuer of others whose tokens are trusted.
struct AccessFixture: Sendable {
    let database: SQLiteDatabase
    let clock: ManualClock
    let issuer: FakeIssuer
    let verifier: CredentialVerifier

    static let ourIssuer = "https://gw.example"

    static func run(
        _ change: @Sendable (inout TrustedIssuer) -> Void = { _ in },
        _ body: @Sendable (AccessFixture) async throws -> Void
    ) async throws {
        let folder = "\(FileManager.default.temporaryDirectory.path())/gantry-access-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let database = try SQLiteDatabase(SQLiteConfiguration(path: folder + "/index.sqlite"))
        let clock = ManualClock()
        try await Migrator(AccessSchema.migrations).migrate(database, now: clock.now)
        let issuer = try FakeIssuer()
        var trusted = TrustedIssuer(issuer: FakeIssuer.name, audience: "gantry", keySetURL: "https://idp.example/keys")
        change(&trusted)
        let fixture = AccessFixture(
            database: database, clock: clock, issuer: issuer,
            verifier: Self.verifier(database, clock, issuer, [trusted]))
        try await body(fixture)
        try await database.close()
    }

    /// Another process on the same database.
    func another() -> CredentialVerifier { Self.verifier(database, clock, issuer, []) }

    private static func verifier(
        _ database: SQLiteDatabase, _ clock: ManualClock, _ issuer: FakeIssuer, _ trusted: [TrustedIssuer]
    ) -> CredentialVerifier {
        CredentialVerifier(
            rules: AccessRules(issuer: ourIssuer, audience: "gantry", trustedIssuers: trusted), database: database,
            hashing: SecretHashing(cost: 4, most: 1000), clock: { clock.now }, fetch: { try issuer.fetch($0) })
    }

    /// The code with which a token is refused; `nil` when it is taken.
    func refusal(of token: String, from address: String = "10.0.0.1") async throws -> AccessError.Code? {
        do {
            _ = try await verifier.principal(for: .token(token), from: address)
            return nil
        } catch let error as AccessError {
            return error.code
        }
    }

    /// The code with which a key is refused; `nil` when it is taken.
    func refusal(ofKey key: String, from address: String = "10.0.0.1") async throws -> AccessError.Code? {
        do {
            _ = try await verifier.principal(for: .apiKey(key), from: address)
            return nil
        } catch let error as AccessError {
            return error.code
        }
    }

    /// A client that is in the database, and its secret.
    func makeClient(
        _ id: String = "mr-1", scopes: Set<Scope> = [.upload, .ordersRead], roles: Set<String> = []
    ) async throws -> (client: Client, secret: String) {
        let client = Client(
            id: id, organization: "radiology", scopes: scopes, roles: roles, createdAt: clock.now)
        return (client, try await verifier.clients.create(client))
    }

    /// The claims of a good token of the trusted issuer, changed.
    func claims(_ changes: [String: String?] = [:]) -> [String: String] {
        let now = clock.now / 1000
        var claims = [
            "iss": "\"\(FakeIssuer.name)\"", "aud": "\"gantry\"", "sub": "\"somebody\"", "iat": "\(now)",
            "exp": "\(now + 600)", "jti": "\"t1\"", "scope": "\"dicomweb.read other\"",
        ]
        for (name, value) in changes { claims[name] = value }
        return claims
    }
}

/// An issuer with keys of each kind, which tells how often it was asked for them.
final class FakeIssuer: Sendable {
    static let name = "https://idp.example/"

    private struct State {
        var fetches = 0
        var isDown = false
        var document = ""
    }

    let p256: P256.Signing.PrivateKey
    let ed25519: Curve25519.Signing.PrivateKey
    let rsa: _RSA.Signing.PrivateKey
    private let state = Mutex(State())

    init() throws {
        p256 = P256.Signing.PrivateKey()
        ed25519 = Curve25519.Signing.PrivateKey()
        rsa = try _RSA.Signing.PrivateKey(keySize: .bits2048)
        publish(try [ecKey("ec"), edKey("ed"), rsaKey("rsa")])
    }

    var fetches: Int { state.withLock { $0.fetches } }
    func publish(_ keys: [String]) {
        state.withLock { $0.document = #"{"keys":[\#(keys.joined(separator: ","))]}"# }
    }
    func setDown(_ isDown: Bool) { state.withLock { $0.isDown = isDown } }

    func fetch(_ url: String) throws -> KeySetDocument {
        try state.withLock { state in
            state.fetches += 1
            if state.isDown { throw CancellationError() }
            return KeySetDocument(bytes: Array(state.document.utf8), lifetime: 600)
        }
    }

    func ecKey(_ id: String, _ key: P256.Signing.PrivateKey? = nil) -> String {
        let point = Array((key ?? p256).publicKey.rawRepresentation)
        return #"{"kty":"EC","crv":"P-256","kid":"\#(id)","use":"sig","x":"\#(Base64URL.encode(point.prefix(32)))","#
            + #""y":"\#(Base64URL.encode(point.suffix(32)))"}"#
    }

    func edKey(_ id: String) -> String {
        #"{"kty":"OKP","crv":"Ed25519","kid":"\#(id)","x":"\#(Base64URL.encode(ed25519.publicKey.rawRepresentation))"}"#
    }

    func rsaKey(_ id: String) throws -> String {
        let parts = try rsa.publicKey.getKeyPrimitives()
        return
            #"{"kty":"RSA","kid":"\#(id)","n":"\#(Base64URL.encode(parts.modulus))","e":"\#(Base64URL.encode(parts.publicExponent))"}"#
    }

    /// A token of claims, each value in JSON, signed as the header says.
    func token(
        _ claims: [String: String], alg: String = "ES256", kid: String? = "ec", header more: String = "",
        signedBy key: P256.Signing.PrivateKey? = nil
    ) throws -> String {
        let kid = kid.map { #","kid":"\#($0)""# } ?? ""
        let header = #"{"alg":"\#(alg)"\#(kid)\#(more)}"#
        let payload = "{" + claims.map { #""\#($0)":\#($1)"# }.sorted().joined(separator: ",") + "}"
        let signed = Base64URL.encode(header.utf8) + "." + Base64URL.encode(payload.utf8)
        let bytes = Array(signed.utf8)
        let signature: [UInt8]
        switch alg {
        case "ES256": signature = Array(try (key ?? p256).signature(for: bytes).rawRepresentation)
        case "EdDSA": signature = Array(try ed25519.signature(for: bytes))
        case "RS256":
            signature = Array(
                try rsa.signature(for: SHA256.hash(data: bytes), padding: .insecurePKCS1v1_5).rawRepresentation)
        case "PS256":
            signature = Array(try rsa.signature(for: SHA256.hash(data: bytes), padding: .PSS).rawRepresentation)
        case "HS256":
            // The old trick: the public key, which everybody has, as the secret.
            let secret = SymmetricKey(data: Array(rsa.publicKey.pemRepresentation.utf8))
            signature = Array(HMAC<SHA256>.authenticationCode(for: bytes, using: secret))
        default: signature = [1]
        }
        return signed + "." + Base64URL.encode(signature)
    }
}
