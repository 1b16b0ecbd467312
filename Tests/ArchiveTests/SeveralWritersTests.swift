import Archive
import Audit
import DICOMCore
import GantryTesting
import Messaging
import PostgreSQLStorage
import SQLStorage
import Synchronization
import Testing

/// Several processes on one database: each fixture has connections of its own and knows nothing of the others.
@Suite struct SeveralWritersTests {
    @Test func `migrates once, however many start at once`() async throws {
        try await withProcesses(5) { processes in
            let count = try await processes[0].database.read {
                try $0.firstInt("SELECT COUNT(*) FROM schema_migration")
            }
            #expect(
                count
                    == Int64(
                        ArchiveSchema.migrations.count + MessagingSchema.migrations.count + AuditSchema.migrations.count
                    ))
        }
    }

    @Test func `the same instance from 64 senders is stored once`() async throws {
        try await withProcesses(3) { processes in
            let decisions = try await inParallel(64) { number in
                try await processes[number % 3].store(TestInstance())
            }
            #expect(decisions.count { $0.isStored } == 1)
            #expect(decisions.count { $0.isIdentical } == 63)
            let report = try await processes[0].verify()
            #expect(report.instances == 1 && report.changes == 1 && report.problems == [])
        }
    }

    @Test func `different versions of an instance come one after the other`() async throws {
        try await withProcesses(3) { processes in
            let decisions = try await inParallel(64) { number in
                var instance = TestInstance()
                instance.instanceNumber = number + 1
                // What it was compared with may be replaced before it gets its turn; then it is compared again.
                while true {
                    let decision = try await processes[number % 3].store(instance, duplicates: .replace)
                    guard case .needsComparison = decision else { return decision }
                }
            }
            #expect(decisions.count { $0.isStored } == 1)
            #expect(decisions.count { $0.isReplaced } == 63)
            let report = try await processes[1].verify()
            #expect(report.instances == 1 && report.changes == 64 && report.problems == [])
        }
    }

    @Test func `64 instances of a study that nobody knows make one study, and all are counted`() async throws {
        try await withProcesses(3) { processes in
            let decisions = try await inParallel(64) { number in
                try await processes[number % 3].store(TestInstance(series: 1 + number % 4, instance: 1 + number))
            }
            #expect(decisions.allSatisfy { $0.isStored })
            let counts = try await processes[2].database.read { transaction in
                try transaction.rows("SELECT series_count, instance_count FROM studies") { [$0.int(0), $0.int(1)] }
            }
            #expect(counts == [[4, 64]])
            #expect(try await processes[0].verify().problems == [])
        }
    }

    @Test func `every reader sees the same changes, without a gap, while 32 write`() async throws {
        try await withProcesses(4) { processes in
            let total = 32 * 12
            let seen = try await withThrowingTaskGroup(of: [Int64].self) { group in
                for reader in 0..<8 {
                    group.addTask {
                        var seen: [Int64] = []
                        var random = SystemRandomNumberGenerator()
                        while seen.count < total {
                            // A reader that starts anew knows its last number only.
                            let process = processes[Int.random(in: 0..<4, using: &random)]
                            let page = try await process.archive.changes(after: seen.last ?? 0, limit: 5 + reader)
                            seen += page.changes.map(\.sequence)
                        }
                        return seen
                    }
                }
                try await withThrowingTaskGroup(of: Void.self) { writers in
                    for writer in 0..<32 {
                        writers.addTask {
                            for number in 1...12 {
                                let decision = try await processes[writer % 4].store(
                                    TestInstance(series: writer % 5 + 1, instance: writer * 100 + number))
                                #expect(decision.isStored)
                            }
                        }
                    }
                    try await writers.waitForAll()
                }
                return try await group.reduce(into: [[Int64]]()) { $0.append($1) }
            }
            #expect(seen.count == 8)
            #expect(seen.allSatisfy { $0 == Array(1...Int64(total)) })
        }
    }

    @Test func `events and audit records of several writers keep their order, and the chain is whole`() async throws {
        try await withProcesses(3) { processes in
            let audit = AuditLog()
            let outbox = Outbox()
            let positions = try await withThrowingTaskGroup(of: [Int64].self) { group in
                // A relay that reads on behind the last position misses none.
                group.addTask {
                    var seen: [Int64] = []
                    while seen.count < 200 {
                        let after = seen.last ?? 0
                        seen += try await processes[0].database.read {
                            try outbox.due(now: .max, after: after, limit: 7, in: $0).map(\.position)
                        }
                    }
                    return seen
                }
                _ = try await inParallel(200) { number in
                    let event = CloudEvent(
                        id: UUIDv7(milliseconds: Int64(number)), source: "/gantry", type: .instanceStored, subject: nil,
                        time: Int64(number), partitionKey: "1.2", data: Array("{}".utf8))
                    let record = AuditEvent(
                        id: "\(number)", time: Int64(number), kind: .query, action: .read, outcome: .success,
                        actor: AuditEvent.Actor(), door: "qido")
                    try await processes[number % 3].database.write { transaction in
                        try outbox.append([event], in: transaction)
                        try audit.append([record], in: transaction)
                    }
                }
                return try await group.next() ?? []
            }
            #expect(positions.count == 200 && positions == positions.sorted())
            let table = AuditTable(database: processes[0].database)
            #expect(try await table.verify() == .intact(head: try await table.head()))
            #expect(try await table.head().sequence == 200)
        }
    }

    // MARK: -

    private func withProcesses(_ count: Int, _ body: ([ArchiveFixture]) async throws -> Void) async throws {
        let configuration = try await PostgreSQLServer.shared.makeDatabase()
        let processes = try await inParallel(count) { _ in try await ArchiveFixture(sharing: configuration) }
        try await body(processes)
        for process in processes { try await process.database.close() }
    }

    private func inParallel<T: Sendable>(
        _ count: Int, _ body: @escaping @Sendable (Int) async throws -> T
    ) async throws -> [T] {
        try await withThrowingTaskGroup(of: T.self) { group in
            for number in 0..<count { group.addTask { try await body(number) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }
}

extension StoreDecision {
    fileprivate var isStored: Bool { if case .stored = self { true } else { false } }
    fileprivate var isIdentical: Bool { if case .identical = self { true } else { false } }
    fileprivate var isReplaced: Bool { if case .replaced = self { true } else { false } }
}
