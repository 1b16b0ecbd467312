import GantryTesting
import Glibc
import PostgreSQLStorage
import Testing

/// Where the gateways of the tests keep what they take: in their data folders, or, with `GANTRY_TEST_STORAGE=servers`, in
/// PostgreSQL and S3 servers of the test process, a database and a part of the bucket for each data folder.
actor TestStorage {
    static let isOnServers = getenv("GANTRY_TEST_STORAGE").map { String(cString: $0) } == "servers"

    private static let shared = TestStorage()

    /// What the gateway on a folder has to be told, the same each time.
    static func settings(for folder: TemporaryFolder) async throws -> [String: String] {
        isOnServers ? try await shared.settings(for: folder.path) : [:]
    }

    /// Names of the objects that a gateway on a folder has stored each by itself.
    static func objects(of folder: TemporaryFolder) async throws -> [String] {
        guard isOnServers else { return folder.files(below: "data/objects") }
        let prefix = try await shared.settings(for: folder.path)["objects.s3.prefix"] ?? ""
        return files(in: try await shared.bucket().bucketFolder + "/" + prefix + "objects")
    }

    private var known: [String: [String: String]] = [:]
    private var starting: Task<S3Server, any Error>?

    private func bucket() async throws -> S3Server {
        let start = starting ?? Task { try await S3Server.start() }
        starting = start
        return try await start.value
    }

    private func settings(for path: String) async throws -> [String: String] {
        if let settings = known[path] { return settings }
        let (bucket, server) = (try await bucket(), try await PostgreSQLServer.shared)
        let database = try await server.makeDatabase()
        let settings = [
            "database": "postgres://\(database.user ?? "")@\(database.place)", "objects.s3.endpoint": bucket.endpoint,
            "objects.s3.bucket": S3Server.bucket, "objects.s3.accessKeyID": S3Server.accessKeyID,
            "objects.s3.secretAccessKey": S3Server.secretAccessKey, "objects.s3.prefix": "test\(known.count)/",
            "postgres.connections": "4",
        ]
        known[path] = known[path] ?? settings
        return known[path] ?? settings
    }

    private static func files(in path: String) -> [String] {
        TemporaryFolder.names(in: path).flatMap { name -> [String] in
            let inner = path + "/" + name
            let below = TemporaryFolder.names(in: inner)
            return below.isEmpty ? [inner] : files(in: inner)
        }
    }
}
