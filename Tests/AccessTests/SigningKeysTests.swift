import GantryTesting
import Testing

@testable import Access

@Suite struct SigningKeysTests {
    private static func kids(_ access: AccessFixture) async throws -> [String] {
        let document = try await access.verifier.signingKeys.document()
        guard case .array(let keys)? = StrictJSON(document.utf8)?["keys"] else { return [] }
        #expect(keys.allSatisfy { $0["d"] == nil }, "the private part is nobody's")
        return keys.compactMap { $0["kid"]?.string }
    }

    @Test func `the published keys verify our tokens`() async throws {
        try await AccessFixture.run { (access) async throws in
            let (client, _) = try await access.makeClient()
            let token = try CompactToken(
                try await access.verifier.tokenIssuer.issue(to: client, scopes: client.scopes).text)
            let document = try await access.verifier.signingKeys.document()
            let set = try #require(VerificationKeySet(document: Array(document.utf8)))
            let key = try #require(set.key(named: token.keyID))
            #expect(key.verifies(token.signature, of: token.signed, by: .es256))
        }
    }

    @Test func `SEC-08 a successor is published a day before it signs, and the old key as long as its tokens live`()
        async throws
    {
        try await AccessFixture.run { (access) async throws in
            let day: Int64 = 86_400_000
            let (client, _) = try await access.makeClient()
            let first = try await Self.kids(access)
            #expect(first.count == 1)
            access.clock.advance(by: 29 * day + 1)
            let both = try await Self.kids(access)
            #expect(both.count == 2 && both.first == first.first)
            access.clock.advance(by: day - 60_000)
            let old = try await access.verifier.tokenIssuer.issue(to: client, scopes: []).text
            #expect(try CompactToken(old).keyID == first.first)
            access.clock.advance(by: 120_000)
            let new = try await access.verifier.tokenIssuer.issue(to: client, scopes: []).text
            #expect(try CompactToken(new).keyID == both.last)
            for token in [old, new] { #expect(try await access.refusal(of: token) == nil) }
            access.clock.advance(by: 3 * 3_600_000)
            #expect(try await Self.kids(access) == [both.last])
        }
    }

    @Test func `SEC-17 a key is changed at once, in every process, and no token is lost`() async throws {
        try await AccessFixture.run { (access) async throws in
            let (client, _) = try await access.makeClient()
            let old = try await access.verifier.tokenIssuer.issue(to: client, scopes: []).text
            let other = access.another()
            try await other.signingKeys.rotate()
            let new = try await other.tokenIssuer.issue(to: client, scopes: []).text
            #expect(try CompactToken(new).keyID != CompactToken(old).keyID)
            access.clock.advance(by: 1_000)
            for token in [old, new] { #expect(try await access.refusal(of: token) == nil) }
        }
    }

    @Test func `two processes that begin together make one key`() async throws {
        try await AccessFixture.run { (access) async throws in
            let verifiers = (0..<8).map { _ in access.another() }
            try await withThrowingTaskGroup(of: String.self) { group in
                for verifier in verifiers { group.addTask { try await verifier.signingKeys.document() } }
                var documents: Set<String> = []
                for try await document in group { documents.insert(document) }
                #expect(documents.count == 1)
            }
        }
    }
}
