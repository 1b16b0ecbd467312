import Archive
import AsyncHTTPClient
import BlobStorage
import CoreWire
import FoundationEssentials
import NIOCore
import NIOHTTP1
import SQLStorage
import SQLiteStorage

@testable import GantryServer

/// The three roles beside each other: a bucket in memory that `stow` and `wado` share, SQLite in the core.
struct RolesHarness: Sendable {
    let blobs: MemoryBlobStore
    let http: HTTPClient
    let configuration: GantryConfiguration
    private let folder: String
    let core: RunningRole
    let stow: RunningRole
    let wado: RunningRole

    /// - Parameters:
    ///   - sink: where `stow` sends events, instead of the core.
    ///   - query: where `wado` asks, instead of the core.
    static func run(
        _ configuration: GantryConfiguration = GantryConfiguration(), sink: String? = nil, query: String? = nil,
        _ body: @Sendable (RolesHarness) async throws -> Void
    ) async throws {
        let folder = "\(FileManager.default.temporaryDirectory.path())/gantry-roles-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let blobs = MemoryBlobStore(clock: Gantry.systemClock)
        let http = CoreConnection.makeClient()
        let core = try await startCore(configuration, folder)
        let stow = try await startStow(
            configuration, sink: CoreConnection(base: sink ?? core.address, client: http, attempts: 2), blobs)
        let index = RemoteArchive(
            core: CoreConnection(base: query ?? "\(core.address)/query", client: http, attempts: 2),
            provider: configuration.provider, blobs: blobs)
        let wado = try await RunningRole.start(
            configuration,
            .wado(
                blobs: blobs, index: index, check: { try await index.check() }, audit: { try await index.append($0) }))
        let harness = RolesHarness(
            blobs: blobs, http: http, configuration: configuration, folder: folder, core: core, stow: stow, wado: wado)
        let result: Result<Void, any Error>
        do { result = .success(try await body(harness)) } catch { result = .failure(error) }
        for role in [stow, wado, core] { await role.stop() }
        try await http.shutdown()
        try result.get()
    }

    static func startStow(
        _ configuration: GantryConfiguration, sink: CoreConnection, _ blobs: any BlobStore
    ) async throws -> RunningRole {
        let stage = CoreCommit(
            sink: sink,
            identity: CoreCommit.Identity(
                source: "stow.test", provider: configuration.provider, bucketName: "images",
                wadoInternalEndpoint: "http://wado.internal/wado-rs",
                wadoExternalEndpoint: "https://wado.example/wado-rs"))
        return try await RunningRole.start(
            configuration, .stow(blobs: blobs, stage: stage, check: { try await sink.checkHealth() }))
    }

    private static func startCore(
        _ configuration: GantryConfiguration, _ folder: String, port: Int = 0
    ) async throws -> RunningRole {
        var configuration = configuration
        configuration.wado.externalEndpoint = "https://wado.example/wado-rs"
        let database = try SQLiteDatabase(SQLiteConfiguration(path: folder + "/index.sqlite"))
        return try await RunningRole.start(configuration, .core(database: database, blobs: nil), port: port)
    }

    /// Starts the core again, on its database and its port, after it was stopped.
    func startCoreAgain() async throws -> RunningRole {
        try await Self.startCore(configuration, folder, port: core.port)
    }

    /// Stores files in one request.
    @discardableResult
    func store(_ files: [[UInt8]], query: String = "") async throws -> RoleAnswer {
        var body: [UInt8] = []
        for file in files {
            body += "--b\r\nContent-Type: application/dicom\r\n\r\n".utf8
            body += file
            body += "\r\n".utf8
        }
        body += "--b--\r\n".utf8
        return try await http.send(
            .POST, "\(stow.address)/stow-rs/studies\(query)",
            [("content-type", "multipart/related; type=application/dicom; boundary=b")], body)
    }

    /// Asks `wado`; the path is below its service root.
    func get(_ path: String, accept: String? = nil) async throws -> RoleAnswer {
        try await http.send(.GET, "\(wado.address)/wado-rs/\(path)", accept.map { [("accept", $0)] } ?? [])
    }

    /// Sends the core something.
    func post(
        _ body: [UInt8], to path: String = "/", type: String, _ fields: [(String, String)] = []
    ) async throws -> RoleAnswer {
        try await http.send(.POST, core.address + path, [("content-type", type)] + fields, body)
    }

    /// How many objects are in the bucket.
    func objectCount() async throws -> Int {
        try await blobs.storedBlobs(olderThan: .max, after: nil, limit: 10_000).blobs.count
    }

    /// Puts a file into the bucket as another STOW service would; the object's name.
    func put(_ file: [UInt8]) async throws -> String {
        let writer = try await blobs.stage(expectedLength: nil)
        try await writer.write(ByteBuffer(bytes: file))
        return try await blobs.makeDurable([try await writer.finish()])[0].get().rawValue
    }
}

/// JSON of any shape.
enum AnswerValue: Codable, Hashable, Sendable {
    case null
    case bool(Bool)
    case number(Double)
    case text(String)
    case list([AnswerValue])
    case object([String: AnswerValue])

    init(_ bytes: [UInt8]) throws { self = try JSONDecoder().decode(AnswerValue.self, from: Data(bytes)) }

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let bool = try? value.decode(Bool.self) {
            self = .bool(bool)
        } else if let number = try? value.decode(Double.self) {
            self = .number(number)
        } else if let text = try? value.decode(String.self) {
            self = .text(text)
        } else if let list = try? value.decode([AnswerValue].self) {
            self = .list(list)
        } else {
            self = .object(try value.decode([String: AnswerValue].self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        switch self {
        case .null: try value.encodeNil()
        case .bool(let bool): try value.encode(bool)
        case .number(let number): try value.encode(number)
        case .text(let text): try value.encode(text)
        case .list(let list): try value.encode(list)
        case .object(let object): try value.encode(object)
        }
    }

    var bytes: [UInt8] { get throws { Array(try JSONEncoder().encode(self)) } }

    var list: [AnswerValue] { if case .list(let list) = self { list } else { [] } }
    var text: String? { if case .text(let text) = self { text } else { nil } }

    /// A member; setting `nil` takes it out.
    subscript(_ name: String) -> AnswerValue? {
        get { if case .object(let object) = self { object[name] } else { nil } }
        set {
            guard case .object(var object) = self else { return }
            object[name] = newValue
            self = .object(object)
        }
    }

    /// The value below these names.
    subscript(_ path: [String]) -> AnswerValue? {
        get { path.reduce(self as AnswerValue?) { $0?[$1] } }
        set {
            guard let first = path.first else { return }
            guard path.count > 1 else { return self[first] = newValue }
            var child = self[first] ?? .object([:])
            child[Array(path.dropFirst())] = newValue
            self[first] = child
        }
    }
}
