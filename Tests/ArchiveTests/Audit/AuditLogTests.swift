import Audit
import SQLStorage
import Testing

@Suite(.onEveryDatabase, .namingTheDatabase) struct AuditLogTests {
    private func event(_ number: Int) -> AuditEvent {
        AuditEvent(
            id: "id-\(number)", time: Int64(number), kind: .instancesTransferred, action: .create, outcome: .success,
            outcomeText: "quote \" and \\ and \u{1}", actor: AuditEvent.Actor(client: "c\(number % 2)"), door: "stow",
            requestID: "r", study: "1.2.\(number % 3)",
            objects: [AuditEvent.Object(instance: "1.2.3", sopClass: "1.2", failureReason: 0x0111)], byteCount: 7,
            details: ["b": "2", "a": "1"])
    }

    private func withTrail(_ count: Int, _ body: (IngestionHarness, AuditTable) async throws -> Void) async throws {
        try await IngestionHarness.run { (harness) async throws in
            let events = (1...count).map(event)
            try await harness.database.write { try AuditLog().append(events, in: $0) }
            try await body(harness, AuditTable(database: harness.database))
        }
    }

    @Test func `reads back what was written, filtered and page by page`() async throws {
        try await withTrail(6) { (_, table) async throws in
            let all = try await table.records(AuditQuery())
            #expect(all.map(\.event) == (1...6).map(event))
            #expect(all.map(\.sequence) == Array(1...6))
            #expect(try await table.records(AuditQuery(study: "1.2.0")).map(\.sequence) == [3, 6])
            #expect(try await table.records(AuditQuery(since: 3, client: "c1")).map(\.sequence) == [3, 5])
            #expect(try await table.records(AuditQuery(after: 4, limit: 1)).map(\.sequence) == [5])
        }
    }

    @Test func `an unchanged trail verifies over several pages`() async throws {
        try await withTrail(2500) { (_, table) async throws in
            let head = try await table.head()
            #expect(head.sequence == 2500)
            #expect(try await table.verify() == .intact(head: head))
        }
    }

    @Test(arguments: [
        (
            "UPDATE audit_records SET record = (SELECT record FROM audit_records WHERE sequence = 6) WHERE sequence = 3"
                as StaticString, Int64(3), AuditVerification.Fault.altered
        ),
        ("UPDATE audit_records SET client = 'other' WHERE sequence = 4", 4, .altered),
        ("DELETE FROM audit_records WHERE sequence = 2", 2, .missing),
        ("DELETE FROM audit_records WHERE sequence > 4", 5, .missing),
    ])
    func `tampering is found at the first record it touched`(
        statement: StaticString, sequence: Int64, fault: AuditVerification.Fault
    ) async throws {
        try await withTrail(6) { (harness, table) async throws in
            let checkpoint = try await table.head()
            try await harness.database.write { try $0.execute(SQLStatement(statement)) }
            #expect(try await table.verify(checkpoint: checkpoint) == .broken(sequence: sequence, fault))
        }
    }

    @Test func `a rewritten chain is found by a checkpoint from before`() async throws {
        try await withTrail(3) { (harness, table) async throws in
            let checkpoint = try await table.head()
            let forged = [event(1), event(2), event(4)]
            try await harness.database.write { transaction in
                try transaction.execute("DELETE FROM audit_records")
                try AuditLog().append(forged, in: transaction)
            }
            guard case .intact = try await table.verify() else {
                Issue.record("a consistent chain must verify without a checkpoint")
                return
            }
            #expect(try await table.verify(checkpoint: checkpoint) == .broken(sequence: 3, .altered))
        }
    }

    @Test func `a transaction that is rolled back leaves the chain as it was`() async throws {
        struct Rollback: Error {}
        try await withTrail(2) { (harness, table) async throws in
            let events = [event(3)]
            await #expect(throws: Rollback.self) {
                try await harness.database.write { transaction in
                    try AuditLog().append(events, in: transaction)
                    throw Rollback()
                }
            }
            try await harness.database.write { try AuditLog().append(events, in: $0) }
            #expect(try await table.verify() == .intact(head: try await table.head()))
            #expect(try await table.head().sequence == 3)
        }
    }
}
