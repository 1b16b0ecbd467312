import Access
import Archive
import BlobStorage
import FoundationEssentials
import GantryTesting
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Ingestion
import Logging
import NIOCore
import Observability
import PixelWorkers
import SQLStorage
import SQLiteStorage
import Synchronization
import Testing

@testable import GantryServer

/// The whole server without a socket: SQLite in a folder of its own, blobs in memory, logs in a list.
struct ServerHarness: Sendable {
    let client: any TestClientProtocol
    let database: SQLiteDatabase
    let registry: MetricRegistry
    let logs: CapturedLog
    let logger: Logger
    /// Who checks credentials, and what is noted of them; `nil` where nobody is asked.
    let verifier: CredentialVerifier?
    let access: AccessTrail
    let uploads: UploadDoor
    let landing: DiskUploadLanding

    /// Runs a test against a server with this configuration.
    static func run(
        _ configuration: GantryConfiguration = GantryConfiguration(), room: StorageRoom? = nil,
        trail: ReadTrail = .off, asksForCredentials: Bool = false,
        uploadClock: @escaping @Sendable () -> Int64 = Gantry.systemClock,
        _ body: @Sendable (ServerHarness) async throws -> Void
    ) async throws {
        let folder = "\(FileManager.default.temporaryDirectory.path())/gantry-server-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let database = try SQLiteDatabase(SQLiteConfiguration(path: folder + "/index.sqlite"))
        let blobs = MemoryBlobStore(clock: Gantry.systemClock)
        let landing = try DiskUploadLanding(
            DiskUploadLandingConfiguration(folder: folder + "/landing", keyFile: folder + "/upload-keys"))
        try await Migrator(Gantry.migrations).migrate(database, now: Gantry.systemClock())

        let logs = CapturedLog()
        let logger = Logger(label: "gantry") {
            LineLogHandler(label: $0, format: .json, level: .trace, output: logs.output)
        }
        let registry = MetricRegistry()
        let gantry = Gantry(
            configuration: configuration,
            backends: StorageBackends(database: database, blobs: blobs, landing: landing),
            pixels: PixelWorkers(PixelWorkersConfiguration(place: .threads)), registry: registry, logger: logger)
        let pipeline = IngestionPipeline(
            database: database, blobs: blobs, index: ArchiveIndex(duplicates: configuration.duplicatePolicy),
            steps: gantry.ingestionSteps, configuration: configuration.ingestion, room: room, clock: Gantry.systemClock)
        let verifier = asksForCredentials ? gantry.makeVerifier(hashing: SecretHashing(cost: 4, most: 1000)) : nil
        let access = AccessTrail(clock: Gantry.systemClock)
        let uploads = gantry.uploads(pipeline, access, clock: uploadClock)
        let application = Application(
            responder: gantry.responder(
                Archive(database: database, blobs: blobs), pipeline, uploads, trail, verifier, access),
            logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await pipeline.run() }
            defer { pipeline.shutDown() }
            try await application.test(.router) { client in
                try await body(
                    ServerHarness(
                        client: client, database: database, registry: registry, logs: logs, logger: logger,
                        verifier: verifier, access: access, uploads: uploads, landing: landing))
            }
        }
        try? await uploads.close()
        try? await landing.close()
        try? await database.close()
    }

    /// Sends a request; `path` is below the DICOMweb root unless it starts with a slash.
    func send(
        _ method: HTTPRequest.Method = .get, _ path: String, _ headers: HTTPFields = [:], body: [UInt8]? = nil
    ) async throws -> Answer {
        let uri = path.hasPrefix("/") ? path : "/dicomweb/\(path)"
        return try await client.execute(
            uri: uri, method: method, headers: headers, body: body.map { ByteBuffer(bytes: $0) }
        ) { response in
            Answer(
                status: response.status.code, headers: response.headers,
                bytes: Array(response.body.readableBytesView))
        }
    }

    /// Stores one file.
    @discardableResult
    func store(_ file: [UInt8], to path: String = "studies") async throws -> Answer {
        try await send(.post, path, [.contentType: "application/dicom"], body: file)
    }

    struct Answer: Sendable {
        var status: Int
        var headers: HTTPFields
        var bytes: [UInt8]

        var body: String { String(decoding: bytes, as: UTF8.self) }
        var byteCount: Int { bytes.count }

        /// The problem, when the answer is one.
        var problem: ProblemBody? {
            guard headers[.contentType] == "application/problem+json" else { return nil }
            return try? JSONDecoder().decode(ProblemBody.self, from: Data(body.utf8))
        }
    }
}

/// An `application/problem+json` body.
struct ProblemBody: Decodable {
    var type: String
    var title: String
    var status: Int
    var detail: String
    var advice: String
    var instance: String
}

/// Log lines in memory.
final class CapturedLog: Sendable {
    private let kept = Mutex<[String]>([])

    var lines: [String] { kept.withLock { $0 } }

    var output: LogOutput {
        LogOutput { line in self.kept.withLock { $0.append(String(decoding: line, as: UTF8.self)) } }
    }
}
