import Crypto
import GantryTesting
import Testing

@testable import Access

/// Tokens of an issuer of others (security.md C.2, SEC-04 to SEC-08, SEC-14, SEC-19).
@Suite struct TrustedTokenTests {
    @Test(arguments: [("ES256", "ec"), ("EdDSA", "ed"), ("RS256", "rsa"), ("PS256", "rsa")])
    func `a token is taken with each of the algorithms`(algorithm: String, kid: String) async throws {
        try await AccessFixture.run { (access) async throws in
            let token = try access.issuer.token(access.claims(["org": "\"north\""]), alg: algorithm, kid: kid)
            let principal = try await access.verifier.principal(for: .token(token), from: "10.0.0.1")
            #expect(principal.client == "somebody" && principal.credentialID == "t1")
            #expect(principal.organization == "north" && principal.scopes == [.dicomwebRead])
            #expect(!principal.allows(.dicomwebStore))
        }
    }

    @Test func `SEC-04 a token out of its time or for somebody else is refused`() async throws {
        try await AccessFixture.run { (access) async throws in
            let now = access.clock.now / 1000
            let wrong: [(String, [String: String?])] = [
                ("not yet valid", ["nbf": "\(now + 120)"]), ("issued in the future", ["iat": "\(now + 120)"]),
                ("another audience", ["aud": "\"other\""]), ("a list without us", ["aud": "[\"a\",\"b\"]"]),
                ("no audience", ["aud": nil]), ("another issuer", ["iss": "\"https://idp.example\""]),
                ("no issuer", ["iss": nil]), ("no end", ["exp": nil]), ("no start", ["iat": nil]),
                ("an end in words", ["exp": "\"tomorrow\""]), ("too long a life", ["exp": "\(now + 7200)"]),
                ("no subject", ["sub": nil]), ("an empty subject", ["sub": "\"\""]),
            ]
            for (number, (what, changes)) in wrong.enumerated() {
                // Each from an address of its own: who guesses is slowed down.
                let token = try access.issuer.token(access.claims(changes))
                #expect(try await access.refusal(of: token, from: "10.1.0.\(number)") == .invalid, "\(what)")
            }
            let ended = try access.issuer.token(access.claims(["iat": "\(now - 700)", "exp": "\(now - 61)"]))
            #expect(try await access.refusal(of: ended) == .expired)
            // Clocks may differ by a minute.
            let late = try access.issuer.token(access.claims(["iat": "\(now - 700)", "exp": "\(now - 59)"]))
            #expect(try await access.refusal(of: late) == nil)
            let early = try access.issuer.token(access.claims(["nbf": "\(now + 59)", "iat": "\(now + 59)"]))
            #expect(try await access.refusal(of: early) == nil)
            let several = try access.issuer.token(access.claims(["aud": "[\"other\",\"gantry\"]"]))
            #expect(try await access.refusal(of: several) == nil)
        }
    }

    @Test func `SEC-04 a token that was good is refused once it has ended`() async throws {
        try await AccessFixture.run { (access) async throws in
            let token = try access.issuer.token(access.claims())
            #expect(try await access.refusal(of: token) == nil)
            access.clock.advance(by: 659_000)
            #expect(try await access.refusal(of: token) == nil)
            access.clock.advance(by: 2_000)
            #expect(try await access.refusal(of: token) == .expired)
        }
    }

    @Test(arguments: ["JWT", "at+jwt", "application/at+jwt", "AT+JWT"])
    func `SEC-04 a token of its type is taken`(type: String) async throws {
        try await AccessFixture.run { (access) async throws in
            let token = try access.issuer.token(access.claims(), header: #","typ":"\#(type)""#)
            #expect(try await access.refusal(of: token) == nil)
        }
    }

    @Test(arguments: [
        #","typ":"dpop+jwt""#, #","typ":"logout+jwt""#, #","typ":7"#, #","crit":["exp"]"#, #","crit":[]"#,
        #","jwk":{"kty":"EC"}"#, #","jku":"https://evil.example/keys""#, #","x5u":"https://evil.example/c""#,
        #","x5c":["AA"]"#, #","b64":false"#, #","alg":"ES256""#, #","kid":"ec""#, #","a":1,"a":2"#,
        #","kid2":"\ud800""#,
    ])
    func `SEC-05 a header with members that are not taken, or twice, is refused`(member: String) async throws {
        try await AccessFixture.run { (access) async throws in
            let token = try access.issuer.token(access.claims(), header: member)
            #expect(try await access.refusal(of: token) == .invalid)
        }
    }

    @Test func `SEC-05 no signature, a symmetric one and one of another key are refused`() async throws {
        try await AccessFixture.run { (access) async throws in
            let issuer = access.issuer
            let good = try issuer.token(access.claims())
            let parts = good.split(separator: ".").map(String.init)
            let rsa = try issuer.token(access.claims(), alg: "RS256", kid: "rsa")
            let rsaSignature = try #require(rsa.split(separator: ".").last)
            var wrong = [
                try issuer.token(access.claims(), alg: "none"),
                try issuer.token(access.claims(), alg: "None", kid: nil),
                try issuer.token(access.claims(), alg: "HS256", kid: "rsa"),
                try issuer.token(access.claims(), alg: "HS256", kid: nil),
            ]
            for token in wrong { #expect(try await access.refusal(of: token) == .invalid, "\(token)") }
            wrong = [
                parts[0] + "." + parts[1] + ".", parts[0] + "." + parts[1], good + ".x", good + "=",
                parts[0] + "." + parts[1] + "." + rsaSignature,
                try issuer.token(access.claims(), signedBy: P256.Signing.PrivateKey()),
                // The right signature under the name of another key.
                try issuer.token(access.claims(), kid: "rsa"), try issuer.token(access.claims(), kid: "ed"),
                "", "a.b.c", String(repeating: "a", count: 9000),
            ]
            for (number, token) in wrong.enumerated() {
                let code = try await access.refusal(of: token, from: "10.2.0.\(number)")
                #expect(code == .invalid, "\(number)")
            }
            // One character of the claims.
            var altered = Array(parts[1])
            altered[10] = altered[10] == "A" ? "B" : "A"
            let token = [parts[0], String(altered), parts[2]].joined(separator: ".")
            #expect(try await access.refusal(of: token, from: "10.3.0.1") == .invalid)
            #expect(try await access.refusal(of: good) == nil)
        }
    }

    @Test func `SEC-05 a token names its key where there are several`() async throws {
        try await AccessFixture.run { (access) async throws in
            let token = try access.issuer.token(access.claims(), kid: nil)
            #expect(try await access.refusal(of: token) == .invalid)
        }
        try await AccessFixture.run { (access) async throws in
            access.issuer.publish([access.issuer.ecKey("ec")])
            #expect(try await access.refusal(of: access.issuer.token(access.claims(), kid: nil)) == nil)
        }
    }

    @Test func `a key of the set that is weak, symmetric or for encryption verifies nothing`() throws {
        let issuer = try FakeIssuer()
        let ec = issuer.ecKey("ec")
        for document in [
            #"{"kty":"oct","kid":"ec","k":"AAAA"}"#, ec.replacing(#""use":"sig""#, with: #""use":"enc""#),
            #"{"kty":"RSA","kid":"ec","n":"AQAB","e":"AQAB"}"#, ec.replacing("P-256", with: "P-384"),
            #"{"kty":"EC","crv":"P-256","kid":"ec","x":"AA","y":"AA"}"#, #"{"kty":"OKP","crv":"X25519","x":"AA"}"#, "7",
        ] {
            let set = try #require(VerificationKeySet(document: Array(#"{"keys":[\#(document)]}"#.utf8)))
            #expect(set.key(named: "ec") == nil, "\(document)")
        }
        #expect(VerificationKeySet(document: Array("{}".utf8)) == nil)
        #expect(VerificationKeySet(document: Array(#"{"keys":7}"#.utf8)) == nil)
    }

    @Test func `SEC-06 unknown key ids fetch the keys once a minute at most`() async throws {
        try await AccessFixture.run { (access) async throws in
            let good = try access.issuer.token(access.claims()).split(separator: ".")
            // The key is looked for before the signature is checked, so that any will do.
            let tokens = (0..<10_000).map { number in
                let header = #"{"alg":"ES256","kid":"k\#(number)"}"#
                return "\(Base64URL.encode(header.utf8)).\(good[1]).\(good[2])"
            }
            for token in tokens { _ = try await access.refusal(of: token) }
            #expect(access.issuer.fetches == 1)
            access.clock.advance(by: 61_000)
            for token in tokens { _ = try await access.refusal(of: token) }
            #expect(access.issuer.fetches == 2)
            #expect(try await access.refusal(of: access.issuer.token(access.claims())) == nil)
            #expect(access.issuer.fetches == 2)
        }
    }

    @Test func `SEC-06 who comes together waits for one answer`() async throws {
        try await AccessFixture.run { (access) async throws in
            let tokens = try (0..<50).map { try access.issuer.token(access.claims(["jti": "\"\($0)\""])) }
            try await withThrowingTaskGroup(of: AccessError.Code?.self) { group in
                for token in tokens { group.addTask { try await access.refusal(of: token) } }
                for try await code in group { #expect(code == nil) }
            }
            #expect(access.issuer.fetches == 1)
        }
    }

    @Test func `SEC-07 an issuer that is down is done without for an hour, and nothing is taken unchecked`()
        async throws
    {
        try await AccessFixture.run { (access) async throws in
            access.issuer.setDown(true)
            #expect(try await access.refusal(of: access.issuer.token(access.claims())) == .unavailable)
            access.issuer.setDown(false)
            access.clock.advance(by: 61_000)
            #expect(try await access.refusal(of: access.issuer.token(access.claims())) == nil)
            access.issuer.setDown(true)
            // The keys are good for ten minutes, and an hour beyond while there are no others.
            for minutes in [9, 30, 29] {
                access.clock.advance(by: Int64(minutes) * 60_000)
                #expect(try await access.refusal(of: access.issuer.token(access.claims())) == nil, "\(minutes)")
            }
            access.clock.advance(by: 3 * 60_000)
            #expect(try await access.refusal(of: access.issuer.token(access.claims())) == .unavailable)
        }
    }

    @Test func `SEC-08 a new key of the issuer fails no request`() async throws {
        try await AccessFixture.run { (access) async throws in
            let issuer = access.issuer
            let old = try issuer.token(access.claims())
            #expect(try await access.refusal(of: old) == nil)
            let next = P256.Signing.PrivateKey()
            issuer.publish([issuer.ecKey("ec"), issuer.ecKey("next", next)])
            access.clock.advance(by: 61_000)
            let new = try issuer.token(access.claims(), kid: "next", signedBy: next)
            #expect(try await access.refusal(of: new) == nil)
            #expect(try await access.refusal(of: old) == nil)
            // A key that is withdrawn is out when the set is fetched again.
            issuer.publish([issuer.ecKey("next", next)])
            access.clock.advance(by: 601_000)
            #expect(try await access.refusal(of: issuer.token(access.claims())) == .invalid)
        }
    }

    @Test func `SEC-14 a token that is bound to a certificate is taken with it only`() async throws {
        try await AccessFixture.run { (access) async throws in
            let digest = Array(SHA256.hash(data: Array("certificate".utf8)))
            let bound = try access.issuer.token(
                access.claims(["cnf": #"{"x5t#S256":"\#(Base64URL.encode(digest))"}"#]))
            #expect(try await access.refusal(of: bound) == .invalid)
            let principal = try await access.verifier.principal(for: .token(bound), from: nil, certificate: { digest })
            #expect(principal.client == "somebody")
            await #expect(throws: AccessError.self) {
                try await access.verifier.principal(
                    for: .token(bound), from: nil, certificate: { Array(digest.reversed()) })
            }
            // A proof of possession that we cannot check is no reason to do without.
            for confirmation in [#"{"jkt":"abc"}"#, #"{"x5t#S256":7}"#, "{}", "7"] {
                let token = try access.issuer.token(access.claims(["cnf": confirmation]))
                #expect(try await access.refusal(of: token, from: "10.9.0.1") == .invalid, "\(confirmation)")
            }
        }
    }

    @Test func `SEC-19 the scope admin of an issuer needs the acr that is configured`() async throws {
        try await AccessFixture.run({ $0.adminACR = "gold" }) { (access) async throws in
            for (acr, isAdmin) in [(#""gold""#, true), (#""silver""#, false), (nil, false)] as [(String?, Bool)] {
                let token = try access.issuer.token(
                    access.claims(["scope": #""admin dicomweb.read""#, "acr": acr]))
                let principal = try await access.verifier.principal(for: .token(token), from: nil)
                #expect(principal.allows(.admin) == isAdmin && principal.allows(.dicomwebRead))
            }
        }
    }

    @Test func `scopes, organization and roles are read from the claims that are configured`() async throws {
        try await AccessFixture.run({
            $0.scopeClaim = "scp"
            $0.organizationClaim = "tenant"
            $0.rolesClaim = "groups"
        }) { (access) async throws in
            let token = try access.issuer.token(
                access.claims([
                    "scp": #"["upload","orders.read dicomweb.read"]"#, "tenant": #""north""#,
                    "groups": #"["org-admin"]"#,
                ]))
            let principal = try await access.verifier.principal(for: .token(token), from: nil)
            #expect(principal.scopes == [.upload, .ordersRead, .dicomwebRead])
            #expect(principal.organization == "north" && principal.roles == ["org-admin"])
        }
    }
}
