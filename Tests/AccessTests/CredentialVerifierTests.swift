import GantryTesting
import SQLStorage
import SQLiteStorage
import Testing

@testable import Access

/// Clients, keys and our own tokens.
@Suite struct CredentialVerifierTests {
    @Test func `a client gets a token that says who it is and what it may`() async throws {
        try await AccessFixture.run { (access) async throws in
            let (made, secret) = try await access.makeClient(roles: ["org-admin"])
            let client = try await access.verifier.client("mr-1", secret: secret, from: "10.0.0.1")
            #expect(client == made)
            let token = try await access.verifier.tokenIssuer.issue(to: client, scopes: [.upload])
            #expect(token.lifetime == 3600)
            let principal = try await access.verifier.principal(for: .token(token.text), from: "10.0.0.1")
            #expect(principal.client == "mr-1" && principal.organization == "radiology")
            #expect(principal.credentialID == token.id && principal.scopes == [.upload])
            #expect(principal.roles == ["org-admin"])
            let parts = token.text.split(separator: ".")
            let claims = try #require(Base64URL.decode(parts[1].utf8).flatMap { StrictJSON($0) })
            for name in ["iss", "sub", "aud", "exp", "iat", "jti", "scope", "org"] { #expect(claims[name] != nil) }
            // Another process on the database takes it too.
            let other = try await access.another().principal(for: .token(token.text), from: nil)
            #expect(other.client == "mr-1")
        }
    }

    @Test func `SEC-04 our own token ends after an hour`() async throws {
        try await AccessFixture.run { (access) async throws in
            let (client, _) = try await access.makeClient()
            let token = try await access.verifier.tokenIssuer.issue(to: client, scopes: client.scopes)
            access.clock.advance(by: 3_599_000)
            #expect(try await access.refusal(of: token.text) == nil)
            access.clock.advance(by: 62_000)
            #expect(try await access.refusal(of: token.text) == .expired)
        }
    }

    @Test func `SEC-05 nobody else signs in our name`() async throws {
        try await AccessFixture.run { (access) async throws in
            _ = try await access.makeClient()
            let claims = access.claims(["iss": "\"\(AccessFixture.ourIssuer)\"", "sub": "\"mr-1\""])
            for token in [
                try access.issuer.token(claims), try access.issuer.token(claims, kid: nil),
                try access.issuer.token(claims, alg: "EdDSA", kid: "ed"),
                try access.issuer.token(claims, alg: "RS256", kid: "rsa"),
            ] {
                #expect(try await access.refusal(of: token) == .invalid)
            }
            #expect(access.issuer.fetches == 0)
        }
    }

    @Test func `SEC-09 a disabled client and a revoked key are out within seconds, in every process`() async throws {
        try await AccessFixture.run { (access) async throws in
            let (client, secret) = try await access.makeClient()
            let token = try await access.verifier.tokenIssuer.issue(to: client, scopes: client.scopes).text
            let keyOfClient = try await access.verifier.apiKeys.create(
                APIKey(client: "mr-1", scopes: [.upload], createdAt: access.clock.now))
            let own = APIKey(scopes: [.upload], createdAt: access.clock.now)
            let ownKey = try await access.verifier.apiKeys.create(own)
            #expect(try await access.refusal(of: token) == nil)
            for key in [keyOfClient, ownKey] { #expect(try await access.refusal(ofKey: key) == nil) }

            let other = access.another()
            _ = try await other.clients.change("mr-1", now: access.clock.now) { $0.isEnabled = false }
            #expect(try await other.apiKeys.revoke(own.id, now: access.clock.now))
            #expect(try await other.apiKeys.revoke(own.id, now: access.clock.now) == false)
            access.clock.advance(by: 5_001)
            #expect(try await access.refusal(of: token) == .invalid)
            for key in [keyOfClient, ownKey] { #expect(try await access.refusal(ofKey: key) == .invalid) }
            await #expect(throws: AccessError.self) {
                try await access.verifier.client("mr-1", secret: secret, from: "10.0.0.1")
            }
            _ = try await other.clients.change("mr-1", now: access.clock.now) { $0.isEnabled = true }
            #expect(try await access.refusal(of: token) == nil)
        }
    }

    @Test func `scopes that a client loses are lost to its tokens and keys`() async throws {
        try await AccessFixture.run { (access) async throws in
            let (client, _) = try await access.makeClient()
            let token = try await access.verifier.tokenIssuer.issue(to: client, scopes: client.scopes).text
            let key = try await access.verifier.apiKeys.create(
                APIKey(client: "mr-1", scopes: client.scopes, createdAt: access.clock.now))
            _ = try await access.verifier.clients.change("mr-1", now: access.clock.now) { $0.scopes = [.upload] }
            for credential in [Credential.token(token), .apiKey(key)] {
                let principal = try await access.verifier.principal(for: credential, from: nil)
                #expect(principal.scopes == [.upload])
            }
        }
    }

    @Test func `an API key says who it is, ends, and is used from its networks only`() async throws {
        try await AccessFixture.run { (access) async throws in
            let now = access.clock.now
            let key = APIKey(
                organization: "north", scopes: [.dicomwebStore], networks: ["10.0.0.0/8", "fd00::/8"], createdAt: now,
                expiresAt: now + 60_000)
            let text = try await access.verifier.apiKeys.create(key)
            #expect(text.hasPrefix("gk_\(key.id)_"))
            let principal = try await access.verifier.principal(for: .apiKey(text), from: "10.1.2.3")
            #expect(principal.client == "gk_\(key.id)" && principal.credentialID == key.id)
            #expect(principal.organization == "north" && principal.scopes == [.dicomwebStore])
            #expect(try await access.refusal(ofKey: text, from: "fd00::1") == nil)
            #expect(try await access.refusal(ofKey: text, from: "11.0.0.1") == .invalid)
            access.clock.advance(by: 60_000)
            #expect(try await access.refusal(ofKey: text) == .invalid)
        }
    }

    @Test func `the use of a key is noted, but seldom`() async throws {
        try await AccessFixture.run { (access) async throws in
            let text = try await access.verifier.apiKeys.create(APIKey(scopes: [], createdAt: access.clock.now))
            let first = access.clock.now
            for _ in 0..<3 {
                #expect(try await access.refusal(ofKey: text) == nil)
                // The write went out before this one.
                try await access.database.write { _ in }
                access.clock.advance(by: 6_000)
            }
            #expect(try await access.verifier.apiKeys.all().map(\.lastUsedAt) == [first])
        }
    }

    @Test func `neither keys nor secrets can be read from the database`() async throws {
        try await AccessFixture.run { (access) async throws in
            let (_, secret) = try await access.makeClient()
            let key = try await access.verifier.apiKeys.create(APIKey(scopes: [], createdAt: access.clock.now))
            let keySecret = try #require(key.split(separator: "_", maxSplits: 2).last)
            let kept = try await access.database.read { transaction in
                try transaction.rows("SELECT secret FROM clients") { $0.text(0) }
                    + transaction.rows("SELECT id || hex(digest) FROM api_keys") { $0.text(0) }
            }
            #expect(kept.count == 2 && kept[0].hasPrefix("scrypt$4$8$1$"))
            for text in kept { #expect(!text.contains(secret) && !text.contains(keySecret)) }
        }
    }

    /// There is no early return to be timed: digests of equal length are compared to their end.
    @Test func `SEC-12 a key is compared by the digest of its secret, to the end`() throws {
        let key = APIKeyText(id: "abcdef")
        let right = key.digest
        #expect(right.count == 32 && APIKeyText(key.text)?.digest == right)
        for position in right.indices {
            var wrong = right
            wrong[position] ^= 1
            #expect(!ConstantTime.areEqual(right, wrong))
        }
        #expect(ConstantTime.areEqual(right, right) && !ConstantTime.areEqual(right, right.dropLast()))
        // A secret that differs in one bit has another digest altogether.
        var secret = try #require(Base64URL.decode(key.text.split(separator: "_", maxSplits: 2)[2].utf8))
        secret[31] ^= 1
        let other = try #require(APIKeyText("gk_abcdef_\(Base64URL.encode(secret))")).digest
        #expect(zip(right, other).count { $0 != $1 } > 16)
    }

    @Test(arguments: [
        "", "gk_", "gk__", "gk_abcd_", "gk_abcd_AAAA", "hk_abcdef_\(String(repeating: "A", count: 43))",
        "gk_ABCDEF_\(String(repeating: "A", count: 43))", "gk_ab_\(String(repeating: "A", count: 43))",
        "gk_abcdef_\(String(repeating: "A", count: 42))B", "gk_abcdef_\(String(repeating: "A", count: 44))",
        "gk_abcdef_\(String(repeating: "A", count: 200))", "gk_abcdef_\(String(repeating: "=", count: 43))",
    ])
    func `what is no key is none`(text: String) {
        #expect(APIKeyText(text) == nil)
    }

    @Test func `SEC-13 who guesses is slowed down more each time, others are not`() async throws {
        try await AccessFixture.run { (access) async throws in
            let now = access.clock.now
            let key = APIKey(scopes: [.upload], createdAt: now)
            let good = try await access.verifier.apiKeys.create(key)
            let bad = APIKeyText(id: key.id).text
            for _ in 0..<10 { #expect(try await access.refusal(ofKey: bad) == .invalid) }
            #expect(try await access.refusal(ofKey: bad) == .throttled(seconds: 30))
            // Even the right one, which a guesser might have found.
            #expect(try await access.refusal(ofKey: good) == .throttled(seconds: 30))
            #expect(try await access.refusal(ofKey: good, from: "10.0.0.2") == nil, "another address goes on")
            let other = try await access.verifier.apiKeys.create(APIKey(scopes: [], createdAt: now))
            #expect(try await access.refusal(ofKey: other) == nil, "and so does another key")
            access.clock.advance(by: 31_000)
            for _ in 0..<10 { #expect(try await access.refusal(ofKey: bad) == .invalid) }
            #expect(try await access.refusal(ofKey: bad) == .throttled(seconds: 60))
            access.clock.advance(by: 61_000)
            #expect(try await access.refusal(ofKey: good) == nil)
        }
    }

    @Test func `SEC-13 bad tokens are counted, and never keep a good one out`() async throws {
        try await AccessFixture.run { (access) async throws in
            let (client, _) = try await access.makeClient()
            for _ in 0..<10 { #expect(try await access.refusal(of: "a.b.c") == .invalid) }
            #expect(try await access.refusal(of: "a.b.c") == .throttled(seconds: 30))
            let token = try await access.verifier.tokenIssuer.issue(to: client, scopes: client.scopes)
            #expect(try await access.refusal(of: token.text) == nil)
        }
    }

    @Test func `SEC-15 an unknown client and a wrong secret are refused alike`() async throws {
        try await AccessFixture.run { (access) async throws in
            _ = try await access.makeClient()
            var errors: [AccessError] = []
            for id in ["mr-1", "nobody"] {
                do {
                    _ = try await access.verifier.client(id, secret: "wrong", from: "10.0.0.1")
                } catch let error as AccessError {
                    errors.append(AccessError(error.code, error.reason))
                }
            }
            #expect(errors.count == 2 && errors[0] == errors[1])
        }
    }

    @Test func `SEC-17 a secret is changed without a gap, and the old one ends when it should`() async throws {
        try await AccessFixture.run { (access) async throws in
            let (_, old) = try await access.makeClient()
            let rotated = try await access.verifier.clients.rotate("mr-1", overlap: 60_000, now: access.clock.now)
            let new = try #require(rotated)
            for secret in [old, new] {
                #expect(try await access.verifier.client("mr-1", secret: secret, from: nil).id == "mr-1")
            }
            access.clock.advance(by: 60_000)
            #expect(try await access.verifier.client("mr-1", secret: new, from: nil).id == "mr-1")
            await #expect(throws: AccessError.self) {
                try await access.verifier.client("mr-1", secret: old, from: nil)
            }
            #expect(try await access.verifier.clients.rotate("nobody", overlap: 0, now: 0) == nil)
        }
    }

    @Test func `nobody is asked for a credential before there is one, and everybody after`() async throws {
        try await AccessFixture.run { (access) async throws in
            let verifier = access.another()
            #expect(try await verifier.isRequired() == false)
            _ = try await access.verifier.apiKeys.create(APIKey(scopes: [], createdAt: access.clock.now))
            access.clock.advance(by: 2_000)
            #expect(try await verifier.isRequired())
            #expect(try await access.verifier.isRequired(), "a trusted issuer is enough")
        }
    }

    @Test(arguments: [
        ("a", true), ("MR-1.x_y", true), ("", false), ("-a", false), (".a", false), ("a b", false),
        ("a:b", false), ("gk_a", false), ("ä", false), (String(repeating: "a", count: 65), false),
    ])
    func `a client's id needs no escaping anywhere`(text: String, isID: Bool) {
        #expect(Client.isID(text) == isID)
    }
}
