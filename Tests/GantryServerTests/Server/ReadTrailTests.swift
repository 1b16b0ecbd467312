import Audit
import DICOMCore
import FoundationEssentials
import GantryTesting
import HTTPTypes
import SQLStorage
import Testing

@testable import GantryServer

@Suite struct ReadTrailTests {
    /// Runs a test with reads on the trail; `records` writes what was noted and gives all records of reads.
    private static func run(
        limit: Int = 100,
        _ body: @Sendable (ServerHarness, _ records: () async throws -> [AuditEvent]) async throws -> Void
    ) async throws {
        let queue = ReadQueue(limit: limit)
        try await ServerHarness.run(trail: ReadTrail(queue: queue, clock: { 1000 })) { server in
            let writer = TrailWriter(
                queue, database: server.database, metrics: server.registry, logger: server.logger, clock: { 1000 })
            try await body(server) {
                #expect(await writer.write([]).isEmpty)
                return try await AuditTable(database: server.database).records(AuditQuery()).map(\.event)
                    .filter { [.query, .retrieve, .recordsLost].contains($0.kind) }
            }
        }
    }

    private static func path(_ instance: TestInstance) -> String {
        "studies/\(instance.studyUID)/series/\(instance.seriesUID)/instances/\(instance.sopInstanceUID)"
    }

    @Test func `a search is told by its level and the names of its keys`() async throws {
        try await Self.run { server, records in
            _ = try await server.send(.get, "studies?PatientName=Smith*&00100020=P1&StudyDate=20240115")
            _ = try await server.send(.get, "studies/1.2/series?Modality=CT")
            _ = try await server.send(.get, "studies?limit=x")
            let events = try await records()
            #expect(events.map(\.kind) == [.query, .query] && events.allSatisfy { $0.action == .execute })
            #expect(events[0].details == ["level": "study", "keys": "PatientName,PatientID,StudyDate"])
            #expect(events[1].study == "1.2" && events[1].details["level"] == "series")
            let text = events.map { String(decoding: $0.canonicalJSON, as: UTF8.self) }.joined()
            for value in ["Smith", "P1", "20240115", "CT"] { #expect(!text.contains("\"\(value)")) }
        }
    }

    @Test func `a retrieval is told by what was retrieved, and a refused one as refused`() async throws {
        try await Self.run { server, records in
            let instance = TestInstance()
            try await server.store(instance.part10())
            let path = Self.path(instance)
            #expect(try await server.send(.get, path).status == 200)
            #expect(try await server.send(.get, path + "9").status == 404)
            let uri =
                "wado?requestType=WADO&contentType=application/dicom&studyUID=\(instance.studyUID)"
                + "&seriesUID=\(instance.seriesUID)&objectUID=\(instance.sopInstanceUID)"
            #expect(try await server.send(.get, uri).status == 200)
            let events = try await records()
            #expect(events.map(\.kind) == [.retrieve, .retrieve, .retrieve])
            #expect(events.map(\.outcome) == [.success, .minorFailure, .success])
            #expect(events.map { $0.details["resource"] } == ["retrieve", "retrieve", "wado-uri"])
            #expect(events.allSatisfy { $0.study == instance.studyUID && $0.action == .read })
            #expect(events[0].objects.map(\.instance) == [instance.sopInstanceUID])
            #expect(events[0].byteCount > instance.part10().count)
            #expect(try await AuditTable(database: server.database).verify() != .broken(sequence: 1, .altered))
        }
    }

    @Test func `what is alike is one record, with every instance`() async throws {
        try await Self.run { server, records in
            for number in 1...3 { try await server.store(TestInstance(instance: number).part10()) }
            for number in [1, 2, 3, 1] {
                _ = try await server.send(
                    .get, Self.path(TestInstance(instance: number)) + "/frames/1", [.accept: "application/octet-stream"]
                )
            }
            for _ in 1...2 { _ = try await server.send(.get, "studies") }
            let events = try await records()
            #expect(events.map { $0.details["requests"] } == ["4", "2"])
            #expect(events[0].objects.map(\.instance) == (1...3).map { TestInstance(instance: $0).sopInstanceUID })
            #expect(try await records().count == 2, "nothing is written twice")
        }
    }

    @Test func `who holds what is current is not told of`() async throws {
        try await Self.run { server, records in
            try await server.store(TestInstance().part10())
            let path = Self.path(TestInstance()) + "/metadata"
            let tag = try #require(try await server.send(.get, path).headers[.eTag])
            #expect(try await server.send(.get, path, [.ifNoneMatch: tag]).status == 304)
            #expect(try await records().count == 1)
        }
    }

    @Test func `a trail that lags delays nobody and tells how much it lost`() async throws {
        try await Self.run(limit: 2) { server, records in
            for key in ["PatientName", "PatientID", "StudyDate", "AccessionNumber"] {
                #expect(try await server.send(.get, "studies?\(key)=1").status < 300 || key == "StudyDate")
            }
            for study in 1...3 { #expect(try await server.send(.get, "studies/1.\(study)/metadata").status == 404) }
            let events = try await records()
            #expect(events.map(\.kind) == [.query, .query, .recordsLost])
            #expect(events.last?.details["requests"] == "4")
            #expect(try await server.send(.get, "/metrics").body.contains("gantry_audit_reads_dropped_total 4"))
            // Then it goes on.
            _ = try await server.send(.get, "studies")
            #expect(try await records().count == 4)
        }
    }

    @Test func `what could not be written is written later`() async throws {
        let queue = ReadQueue()
        try await ServerHarness.run(trail: ReadTrail(queue: queue, clock: { 1000 })) { server in
            struct Failing: SQLDatabase {
                let database: any SQLDatabase
                var dialect: SQLDialect { database.dialect }
                func read<T: Sendable>(
                    _ body: @escaping @Sendable (any SQLTransaction) throws -> T
                ) async throws -> T { try await database.read(body) }
                func write<T: Sendable>(
                    _ body: @escaping @Sendable (any SQLTransaction) throws -> T,
                    completion: @escaping @Sendable (Result<T, any Error>) -> Void
                ) { completion(.failure(CancellationError())) }
                func close() async throws {}
            }
            func writer(_ database: any SQLDatabase) -> TrailWriter {
                TrailWriter(
                    queue, database: database, metrics: server.registry, logger: server.logger, clock: { 1000 })
            }
            _ = try await server.send(.get, "studies")
            let waiting = await writer(Failing(database: server.database)).write([])
            #expect(waiting.count == 1)
            #expect(await writer(server.database).write(waiting).isEmpty)
            #expect(try await AuditTable(database: server.database).records(AuditQuery()).map(\.event) == waiting)
        }
    }
}
