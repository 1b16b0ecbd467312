import FoundationEssentials
import GantryTesting
import Testing

@testable import GantryServer

@Suite struct ChangeFeedTests {
    private struct Page: Decodable {
        struct Change: Decodable {
            var cursor: String
            var type: String
            var study: String
            var instance: String?
        }

        var changes: [Change]
        var next: String
        var more: Bool
    }

    private static func page(_ server: ServerHarness, _ query: String) async throws -> Page {
        let answer = try await server.send(path: "/changes\(query)")
        return try JSONDecoder().decode(Page.self, from: Data(answer.body.utf8))
    }

    @Test func `a cursor goes on where the page before it ended`() async throws {
        try await ServerHarness.run { (server) async throws in
            let empty = try await Self.page(server, "")
            #expect(empty.changes.isEmpty && !empty.more)
            for number in 1...3 { try await server.store(TestInstance(instance: number).part10()) }

            let all = try await Self.page(server, "")
            let first = try await Self.page(server, "?limit=2")
            let second = try await Self.page(server, "?after=\(first.next)")
            #expect(first.more && !second.more && first.changes.count == 2)
            #expect((first.changes + second.changes).map(\.cursor) == all.changes.map(\.cursor))
            #expect(Set(all.changes.map(\.cursor)).count == all.changes.count)
            #expect(all.changes.compactMap(\.instance).count == 3 && first.next == first.changes.last?.cursor)
            // At the end the cursor stays.
            let end = try await Self.page(server, "?after=\(second.next)")
            #expect(end.changes.isEmpty && end.next == second.next)
            #expect(try await Self.page(server, "?after=\(empty.next)").changes.count == all.changes.count)
        }
    }

    @Test(arguments: [
        "after=x", "after=c1-", "after=c1--1", "after=c2-1", "after=1", "limit=0", "limit=1001", "limit=x", "wait=31",
        "wait=-1",
    ])
    func `refuses what is no cursor, and numbers out of bounds`(query: String) async throws {
        try await ServerHarness.run { (server) async throws in
            let answer = try await server.send(path: "/changes?\(query)")
            #expect(answer.status == 400 && answer.problem?.type == "urn:gantry:problem:invalid-query")
        }
    }
}
