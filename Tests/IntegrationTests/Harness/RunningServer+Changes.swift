import FoundationEssentials
import Testing

/// One entry of the change feed.
struct FeedEntry: Codable, Hashable, Sendable {
    var cursor: String
    var type: String
    var study: String
    var series: String?
    var instance: String?

    var sequence: Int64 { Int64(cursor.dropFirst(3), radix: 36) ?? -1 }
}

/// One answer of the change feed.
struct FeedPage: Codable, Sendable {
    var changes: [FeedEntry]
    var next: String
    var more: Bool
}

extension RunningServer {
    func changePage(after cursor: String = "", limit: Int = 1000, wait: Int = 0) async throws -> FeedPage {
        let answer = try await get("/changes?after=\(cursor)&limit=\(limit)&wait=\(wait)")
        try #require(answer.status == 200)
        return try JSONDecoder().decode(FeedPage.self, from: Data(answer.body))
    }

    /// All entries.
    func changes() async throws -> [FeedEntry] {
        var changes: [FeedEntry] = []
        var cursor = ""
        while true {
            let page = try await changePage(after: cursor)
            changes += page.changes
            cursor = page.next
            if !page.more { return changes }
        }
    }
}
