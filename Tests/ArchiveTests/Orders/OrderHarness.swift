import Access
import Archive
import Audit
import BlobStorage
import DICOMCore
import Foundation
import GantryTesting
import Ingestion
import Logging
import Messaging
import NIOCore
import SQLStorage
import Workflows

/// A pipeline with orders over SQLite in a folder of its own, with a clock that goes when the test says so.
struct OrderHarness: Sendable {
    static let start: Int64 = 1_700_000_000_000

    let clock: ManualClock
    let database: any SQLDatabase
    /// Opens the database once more, as another process does.
    let openAgain: @Sendable () async throws -> any SQLDatabase
    let blobs: MemoryBlobStore
    let pipeline: IngestionPipeline
    let orders: Orders
    let timers: OrderTimers
    let rules: OrderRules

    static let anonymous = OrderRequester(principal: .anonymous)

    static func principal(
        _ client: String, of organization: String? = nil, roles: Set<String> = []
    ) -> Principal {
        Principal(
            client: client, credentialID: "key-\(client)", organization: organization,
            scopes: [.ordersRead, .ordersWrite, .dicomwebStore], roles: roles)
    }

    /// Runs a test with the pipeline at work. Nothing fires by itself: `timers.fire()` does.
    static func run(
        _ rules: OrderRules = OrderRules(), duplicates: DuplicatePolicy = .standard,
        _ body: (OrderHarness) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/orders-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let clock = ManualClock(start)
        let openAgain = try await Self.opener(folder)
        let database = try await openAgain()
        let migrations =
            ArchiveSchema.migrations + MessagingSchema.migrations + AuditSchema.migrations + OrderSchema.migrations
        try await Migrator(migrations).migrate(database, now: clock.now)
        let blobs = MemoryBlobStore { clock.now }
        let pipeline = IngestionPipeline(
            database: database, blobs: blobs, index: ArchiveIndex(duplicates: duplicates),
            steps: [OrderMatching(rules: rules)]
        ) { clock.now }
        let harness = OrderHarness(
            clock: clock, database: database, openAgain: openAgain, blobs: blobs, pipeline: pipeline,
            orders: Orders(database: database, blobs: blobs, rules: rules) { clock.now },
            timers: timers(database, rules, clock), rules: rules)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await pipeline.run() }
            defer { pipeline.shutDown() }
            try await body(harness)
            pipeline.shutDown()
            try await group.waitForAll()
        }
        try await database.close()
        try await blobs.close()
    }

    /// What opens the test's database, each time anew.
    private static func opener(_ folder: String) async throws -> @Sendable () async throws -> any SQLDatabase {
        switch TestDatabase.current {
        case .sqlite:
            return { try await TestDatabase.sqlite.open(folder: folder) }
        case .postgreSQL:
            let configuration = try await PostgreSQLServer.shared.makeDatabase()
            return { try TestDatabase.open(configuration) }
        }
    }

    static func timers(_ database: any SQLDatabase, _ rules: OrderRules, _ clock: ManualClock) -> OrderTimers {
        OrderTimers(database: database, rules: rules, logger: Logger(label: "test")) { clock.now }
    }

    /// Stores an instance.
    @discardableResult
    func store(
        _ instance: TestInstance, by principal: Principal = .anonymous, order: OrderID? = nil
    ) async -> IngestionOutcome {
        let bytes = instance.part10()
        let origin = IngestionOrigin(
            door: .stow, requestID: "r1", remoteAddress: "192.0.2.1", principal: principal, orderID: order?.rawValue)
        var receiver = await pipeline.receive(expectedLength: bytes.count, origin: origin)
        await receiver.write(ByteBuffer(bytes: bytes))
        return await pipeline.ingest(await receiver.finish())
    }

    /// Lets time pass and does what is due.
    func pass(_ milliseconds: Int64) async throws {
        clock.advance(by: milliseconds)
        try await timers.fire()
    }

    /// All orders, oldest first.
    func all() async throws -> [Order] {
        try await orders.list(OrderQuery(limit: 1000), for: Self.anonymous).orders.reversed()
    }

    /// The only order there is.
    func only() async throws -> Order {
        let all = try await all()
        guard all.count == 1, let order = all.first else { throw WrongCount(count: all.count) }
        return order
    }

    struct WrongCount: Error { var count: Int }

    func events() async throws -> [CloudEvent] {
        try await database.read { try Outbox().due(now: .max, limit: 100_000, in: $0).map(\.event) }
    }

    /// The types of the orders' events, without what all have in common.
    func orderEvents() async throws -> [String] {
        try await events().compactMap { event in
            let type = event.type.rawValue
            return type.hasPrefix("gantry.order.") ? String(type.dropFirst(13).dropLast(3)) : nil
        }
    }

    func audit() async throws -> [AuditEvent] {
        try await AuditTable(database: database).records(AuditQuery(limit: 100_000)).map(\.event)
            .filter { $0.kind == .orderRecord }
    }
}

extension TestInstance {
    /// One with an age of its own, so that no metadata are missing.
    static func complete(study: Int = 1, instance: Int = 1) -> TestInstance {
        TestInstance(study: study, instance: instance)
    }

    /// One whose header tells neither age nor sex.
    static func bare(study: Int = 1, series: Int = 1, instance: Int = 1) -> TestInstance {
        var result = TestInstance(study: study, series: series, instance: instance)
        result.elements = [
            DataElement(.patientBirthDate, .DA, .bytes([])), DataElement(.patientSex, .CS, .bytes([])),
        ]
        return result
    }

    /// The same instance with other content.
    var altered: TestInstance {
        var result = self
        result.patientName = "Other^Name"
        return result
    }

    func with(_ tag: Tag, _ vr: VR, _ text: String) -> TestInstance {
        var result = self
        var bytes = Array(text.utf8)
        if bytes.count % 2 != 0 { bytes.append(vr.paddingByte) }
        result.elements.append(DataElement(tag, vr, .bytes(bytes[...])))
        return result
    }
}
