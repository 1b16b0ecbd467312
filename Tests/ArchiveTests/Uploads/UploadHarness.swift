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
import NIOPosix
import SQLStorage
import SQLiteStorage
import Synchronization
import Testing

/// Table, landing, intake and sweep over SQLite and folders, without a server: what PUTs do is done by hand.
final class UploadHarness: Sendable {
    /// Begins with the time of the files.
    let clock = ManualClock(Int64(Date().timeIntervalSince1970 * 1000))
    let folder: String
    let database: FaultyDatabase
    let blobs: DiskBlobStore
    let landing: DiskUploadLanding
    let pipeline: IngestionPipeline
    let table: UploadTable
    let orders: Orders
    let configuration: UploadConfiguration
    private let threads = NIOThreadPool(numberOfThreads: 2)

    /// Takes metadata and remembers them.
    final class Orders: Sendable {
        private let kept = Mutex<[UploadOrders.Sidecar]>([])
        private let refused = Mutex<String?>(nil)

        var sidecars: [UploadOrders.Sidecar] { kept.withLock { $0 } }
        var refusal: String? {
            get { refused.withLock { $0 } }
            set { refused.withLock { $0 = newValue } }
        }

        func add(_ sidecar: UploadOrders.Sidecar) -> String? {
            kept.withLock { $0.append(sidecar) }
            return refusal
        }
    }

    private init(folder: String, configuration: UploadConfiguration, steps: [any IngestionStep]) async throws {
        self.folder = folder
        self.configuration = configuration
        let clock = clock
        let sqlite = try SQLiteDatabase(SQLiteConfiguration(path: folder + "/index.sqlite"))
        let migrations =
            ArchiveSchema.migrations + MessagingSchema.migrations + AuditSchema.migrations + UploadSchema.migrations
        try await Migrator(migrations).migrate(sqlite, now: clock.now)
        database = FaultyDatabase(sqlite)
        blobs = try DiskBlobStore(DiskBlobConfiguration(folder: folder) { clock.now })
        landing = try DiskUploadLanding(
            DiskUploadLandingConfiguration(folder: folder + "/landing", keyFile: folder + "/upload-keys"))
        pipeline = IngestionPipeline(database: database, blobs: blobs, index: ArchiveIndex(), steps: steps) {
            clock.now
        }
        table = UploadTable(database: database)
        orders = Orders()
        threads.start()
    }

    /// Runs a test with the pipeline at work.
    static func run(
        _ configuration: UploadConfiguration = UploadConfiguration(), steps: [any IngestionStep] = [],
        _ body: (UploadHarness) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/uploads-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let harness = try await UploadHarness(folder: folder, configuration: configuration, steps: steps)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await harness.pipeline.run() }
            defer { harness.pipeline.shutDown() }
            try await body(harness)
        }
        try await harness.threads.shutdownGracefully()
        try await harness.landing.close()
        try await harness.database.close()
        try await harness.blobs.close()
    }

    var intake: UploadIntake {
        let orders = orders
        return UploadIntake(
            table: table, landing: landing, pipeline: pipeline,
            orders: UploadOrders(check: { _, _ in .accepted }, addMetadata: { orders.add($0) }),
            configuration: configuration, signal: UploadSignal(), threads: threads, logger: Logger(label: "test")
        ) { [clock] in clock.now }
    }

    var sweep: UploadSweep {
        UploadSweep(
            table: table, landing: landing, configuration: configuration, signal: UploadSignal(),
            logger: Logger(label: "test")
        ) { [clock] in clock.now }
    }

    /// Issues a URL.
    func issue(
        _ announcement: UploadSession.Announcement = .init(), client: String? = "sender"
    ) async throws -> UploadSession {
        let session = UploadSession(
            key: UploadKey(milliseconds: clock.now),
            owner: UploadSession.Owner(client: client, credentialID: "k1", organization: "clinic"),
            announcement: announcement, requestID: "r1", remoteAddress: "192.0.2.1", issuedAt: clock.now,
            expiresAt: clock.now + configuration.lifetime)
        try await table.issue(session)
        return session
    }

    /// Puts the bytes, without telling the table.
    func put(_ bytes: [UInt8], for session: UploadSession) async throws {
        let writer = try landing.receive(
            UploadSignature(.object(session.key), UploadConstraints(expiresAt: session.expiresAt)))
        try await writer.write(ByteBuffer(bytes: bytes))
        _ = try await writer.finish()
    }

    /// Tells the table what has landed.
    @discardableResult
    func register(_ session: UploadSession) async throws -> Bool {
        guard let object = try await landing.head(session.key) else { return false }
        return try await table.receive(object, of: session, at: clock.now)
    }

    /// Issues, puts, ingests, and answers what became of it.
    func upload(
        _ bytes: [UInt8], _ announcement: UploadSession.Announcement = .init()
    ) async throws -> UploadSession {
        let session = try await issue(announcement)
        try await put(bytes, for: session)
        try await register(session)
        while try await intake.ingestSome() > 0 {}
        return try await current(session)
    }

    func current(_ session: UploadSession) async throws -> UploadSession {
        try #require(try await table.session(session.key))
    }

    func events() async throws -> [CloudEvent] {
        try await database.read { try Outbox().due(now: .max, limit: 10_000, in: $0).map(\.event) }
    }

    func audit() async throws -> [AuditEvent] {
        try await AuditTable(database: database).records(AuditQuery(limit: 10_000)).map(\.event)
    }

    /// Keys of what is in an area.
    func keys(in area: LandingArea) async throws -> [UploadKey] {
        try await landing.list(area, after: nil, limit: 1000).objects.map(\.key)
    }
}
