import Access
import Archive
import Audit
import BlobStorage
import DICOMCore
import Foundation
import GantryTesting
import Ingestion
import Messaging
import NIOCore
import SQLStorage
import Synchronization

/// A pipeline over a database of its own and blobs in memory, with faults on demand.
final class IngestionHarness: Sendable {
    let clock = ManualClock()
    let blobs: FaultyBlobStore
    let database: FaultyDatabase
    let pipeline: IngestionPipeline

    private init(
        folder: String, configuration: IngestionConfiguration, steps: [any IngestionStep], isOnDisk: Bool,
        room: StorageRoom?
    ) async throws {
        let clock = clock
        let opened = try await TestDatabase.current.open(folder: folder)
        let migrations = ArchiveSchema.migrations + MessagingSchema.migrations + AuditSchema.migrations
        try await Migrator(migrations).migrate(opened, now: clock.now)
        database = FaultyDatabase(opened)
        let store: any BlobStore =
            isOnDisk
            ? try DiskBlobStore(DiskBlobConfiguration(folder: folder + "/blobs") { clock.now })
            : MemoryBlobStore { clock.now }
        blobs = FaultyBlobStore(store)
        pipeline = IngestionPipeline(
            database: database, blobs: blobs, index: ArchiveIndex(), steps: steps, configuration: configuration,
            room: room
        ) { clock.now }
    }

    /// Runs a test with the pipeline at work.
    static func run(
        _ configuration: IngestionConfiguration = IngestionConfiguration(), steps: [any IngestionStep] = [],
        isOnDisk: Bool = false, room: StorageRoom? = nil, _ body: (IngestionHarness) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/ingestion-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let harness = try await IngestionHarness(
            folder: folder, configuration: configuration, steps: steps, isOnDisk: isOnDisk, room: room)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await harness.pipeline.run() }
            do {
                try await body(harness)
            } catch {
                harness.pipeline.shutDown()
                throw error
            }
            harness.pipeline.shutDown()
            try await group.waitForAll()
        }
        try await harness.database.close()
        try await harness.blobs.close()
    }

    /// Receives the bytes in pieces and ingests them.
    func store(
        _ bytes: [UInt8], targetStudy: String? = nil, request: String = "r1", pieceLength: Int = .max,
        dryRun: Bool = false
    ) async -> IngestionOutcome {
        await pipeline.ingest(
            await receive(bytes, targetStudy: targetStudy, request: request, pieceLength: pieceLength), dryRun: dryRun)
    }

    func receive(
        _ bytes: [UInt8], targetStudy: String? = nil, request: String = "r1", pieceLength: Int = .max
    ) async -> ReceivedInstance {
        let origin = IngestionOrigin(
            door: .stow, requestID: request, remoteAddress: "192.0.2.1",
            principal: Principal(client: "tester", credentialID: nil, organization: nil, scopes: [.dicomwebStore]),
            targetStudy: targetStudy.flatMap { UID($0) })
        var receiver = await pipeline.receive(expectedLength: bytes.count, origin: origin)
        var rest = bytes[...]
        while !rest.isEmpty {
            await receiver.write(ByteBuffer(bytes: rest.prefix(pieceLength)))
            rest = rest.dropFirst(pieceLength)
        }
        return await receiver.finish()
    }

    func events() async throws -> [CloudEvent] {
        try await database.read { try Outbox().due(now: .max, limit: 1000, in: $0).map(\.event) }
    }

    func audit() async throws -> [AuditEvent] {
        try await AuditTable(database: database).records(AuditQuery(limit: 1000)).map(\.event)
    }
}

extension IngestionOutcome {
    var code: UInt16? {
        if case .refused(let cause, _) = self { cause.code } else { nil }
    }
    var cause: RefusalCause? {
        if case .refused(let cause, _) = self { cause } else { nil }
    }
    var refusedIdentity: PartialIdentity? {
        if case .refused(_, let identity) = self { identity } else { nil }
    }
    var warning: IngestionWarning? {
        if case .stored(_, let warning, _) = self { warning } else { nil }
    }
    var isStored: Bool {
        if case .stored(_, _, let isDuplicate) = self { !isDuplicate } else { false }
    }
    var isDuplicate: Bool {
        if case .stored(_, _, let isDuplicate) = self { isDuplicate } else { false }
    }
}

/// A database that fails when told to, and counts its writes.
final class FaultyDatabase: SQLDatabase {
    private let database: any SQLDatabase
    private let state = Mutex<(failure: SQLError?, writes: Int)>((nil, 0))

    init(_ database: any SQLDatabase) { self.database = database }

    var dialect: SQLDialect { database.dialect }
    /// What writes fail with.
    var failure: SQLError? {
        get { state.withLock { $0.failure } }
        set { state.withLock { $0.failure = newValue } }
    }
    var writes: Int { state.withLock { $0.writes } }

    func read<T: Sendable>(_ body: @escaping @Sendable (any SQLTransaction) throws -> T) async throws -> T {
        try await database.read(body)
    }

    func write<T: Sendable>(
        _ body: @escaping @Sendable (any SQLTransaction) throws -> T,
        completion: @escaping @Sendable (Result<T, any Error>) -> Void
    ) {
        let failure = state.withLock { state in
            state.writes += 1
            return state.failure
        }
        if let failure { return completion(.failure(failure)) }
        database.write(body, completion: completion)
    }

    func close() async throws { try await database.close() }
}

/// A blob store that fails when told to, and knows what is staged and what is stored.
final class FaultyBlobStore: BlobStore {
    private let store: any BlobStore
    private let state = Mutex<(failure: BlobError?, staged: Int, stored: Set<BlobLocation>)>((nil, 0, []))

    init(_ store: any BlobStore) { self.store = store }

    /// What `makeDurable` fails with.
    var failure: BlobError? {
        get { state.withLock { $0.failure } }
        set { state.withLock { $0.failure = newValue } }
    }
    /// Blobs that are neither durable nor given up.
    var staged: Int { state.withLock { $0.staged } }
    var stored: Set<BlobLocation> { state.withLock { $0.stored } }

    func stage(expectedLength: Int?) async throws -> any BlobWriter {
        let writer = try await store.stage(expectedLength: expectedLength)
        state.withLock { $0.staged += 1 }
        return Writer(writer: writer) { self.state.withLock { $0.staged -= 1 } }
    }

    func makeDurable(_ blobs: [StagedBlob]) async -> [Result<BlobLocation, BlobError>] {
        let failure = state.withLock { state in
            state.staged -= blobs.count
            return state.failure
        }
        if let failure { return blobs.map { _ in .failure(failure) } }
        let results = await store.makeDurable(blobs)
        state.withLock { state in
            for case .success(let location) in results { state.stored.insert(location) }
        }
        return results
    }

    func discard(_ blobs: [StagedBlob]) async {
        await store.discard(blobs)
        state.withLock { $0.staged -= blobs.count }
    }

    func delete(_ locations: [BlobLocation]) async throws {
        try await store.delete(locations)
        state.withLock { $0.stored.subtract(locations) }
    }

    func read(_ blob: StagedBlob, _ range: Range<Int>) async throws -> ByteBuffer {
        try await store.read(blob, range)
    }
    func read(_ location: BlobLocation, _ range: Range<Int>) async throws -> ByteBuffer {
        try await store.read(location, range)
    }
    func chunks(_ location: BlobLocation, _ range: Range<Int>, chunkSize: Int) -> BlobChunks {
        store.chunks(location, range, chunkSize: chunkSize)
    }
    func storedBlobs(olderThan cutoff: Int64, after cursor: BlobCursor?, limit: Int) async throws -> BlobPage {
        try await store.storedBlobs(olderThan: cutoff, after: cursor, limit: limit)
    }
    func verify(_ location: BlobLocation) async throws -> [UInt8] { try await store.verify(location) }
    func compact(
        olderThan cutoff: Int64, isLive: @Sendable (BlobLocation) async throws -> Bool,
        relocate: @Sendable ([(from: BlobLocation, to: BlobLocation)]) async throws -> Void
    ) async throws -> Int64 {
        try await store.compact(olderThan: cutoff, isLive: isLive, relocate: relocate)
    }
    func space() async throws -> BlobSpace { try await store.space() }
    func close() async throws { try await store.close() }

    private final class Writer: BlobWriter {
        private let writer: any BlobWriter
        private let onAbort: @Sendable () -> Void

        init(writer: any BlobWriter, onAbort: @escaping @Sendable () -> Void) {
            self.writer = writer
            self.onAbort = onAbort
        }

        var length: Int { writer.length }
        func write(_ bytes: ByteBuffer) async throws { try await writer.write(bytes) }
        func finish() async throws -> StagedBlob { try await writer.finish() }
        func abort() async {
            await writer.abort()
            onAbort()
        }
    }
}
