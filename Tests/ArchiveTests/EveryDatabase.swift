import GantryTesting
import Testing

/// Runs each test of a suite once on each database.
struct EveryDatabase: SuiteTrait, TestTrait, TestScoping {
    let isRecursive = true

    @concurrent func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable @concurrent () async throws -> Void
    ) async throws {
        for database in TestDatabase.allCases {
            try await TestDatabase.$current.withValue(database) { try await function() }
        }
    }
}

extension Trait where Self == EveryDatabase {
    /// Each test runs once on each database.
    static var onEveryDatabase: Self { EveryDatabase() }
}

extension Trait where Self == IssueHandlingTrait {
    /// An issue names the database that it is of.
    static var namingTheDatabase: Self {
        .compactMapIssues { issue in
            var issue = issue
            let name: Comment = "on \(TestDatabase.current)"
            if !issue.comments.contains(name) { issue.comments.append(name) }
            return issue
        }
    }
}
