import BlobStorage
import GantryServer
import Glibc
import Logging
import PostgreSQLStorage
import S3Storage
import SQLStorage
import SQLiteStorage

/// Turns the configuration into storage. The one file that names drivers.
enum Backends {
    /// Opens the storage, and makes what is not there of a data folder.
    static func open(_ configuration: GantryConfiguration, logger: Logger) async throws -> StorageBackends {
        let blobs = try await openBlobs(configuration, logger)
        do {
            let landing = try openLanding(configuration)
            return StorageBackends(
                database: try openDatabase(configuration, logger), blobs: blobs, landing: landing)
        } catch {
            try? await blobs.close()
            throw error
        }
    }

    /// Whether there is an archive where the configuration says. What is on servers is asked when it is opened.
    static func exist(_ configuration: GantryConfiguration) -> Bool {
        configuration.databaseURL != nil || access(embeddedDatabase(configuration), F_OK) == 0
    }

    /// Closes what ``open(_:logger:)`` opened.
    static func close(_ backends: StorageBackends) async throws {
        try await backends.landing.close()
        try await backends.blobs.close()
        try await backends.database.close()
    }

    /// Runs `body` and then closes what it works with, however it ends.
    static func closing<T>(
        _ close: () async throws -> Void, after body: () async throws -> T
    ) async throws -> T {
        let result: T
        do {
            result = try await body()
        } catch {
            try? await close()
            throw error
        }
        try await close()
        return result
    }

    // MARK: - The database

    private static func embeddedDatabase(_ configuration: GantryConfiguration) -> String {
        configuration.dataFolder + "/index.sqlite"
    }

    /// Opens the database alone, which a gateway that runs on it allows.
    static func openDatabase(
        _ configuration: GantryConfiguration, _ logger: Logger
    ) throws -> any SQLDatabase {
        guard let url = configuration.databaseURL else {
            try makeFolder(configuration.dataFolder)
            let readers = 4
            let kibibytes = configuration.sqlite.cacheBytes / 1_024
            // One half for the connection that writes, the other for those that read.
            return try SQLiteDatabase(
                SQLiteConfiguration(
                    path: embeddedDatabase(configuration), readers: readers, writerCache: kibibytes / 2,
                    readerCache: kibibytes / 2 / readers))
        }
        let settings = configuration.postgres
        var database: PostgreSQLConfiguration
        do throws(SQLError) {
            database = try PostgreSQLConfiguration(url: url)
            if !settings.password.isEmpty, database.password == nil { database.password = settings.password }
            if let file = settings.rootCertificate { database.rootCertificate = file }
            // Commits are put together into few transactions, searches are not.
            database.writers = max(1, settings.connections / 3)
            database.readers = max(1, settings.connections - database.writers)
            database.statementTimeout = Int(settings.statementTimeout.components.seconds) * 1_000
            return try PostgreSQLDatabase(database, logger: logger)
        } catch {
            throw CommandFailure.failed("the database: \(error.message)")
        }
    }

    // MARK: - Presigned uploads

    /// The folder where presigned uploads land, on the file system of the blobs where these are in a folder.
    private static func openLanding(_ configuration: GantryConfiguration) throws -> DiskUploadLanding {
        let folder = configuration.dataFolder
        try makeFolder(folder)
        var settings = DiskUploadLandingConfiguration(folder: folder + "/landing", keyFile: folder + "/upload-keys")
        settings.limits.object = configuration.uploads.largestObject
        settings.limits.total = configuration.uploads.largestMultipart
        do throws(BlobError) {
            return try DiskUploadLanding(settings)
        } catch {
            guard error.code == .exposed else { throw error }
            throw CommandFailure.failed("others may read \(settings.keyFile), which signs URLs; chmod 600 it")
        }
    }

    // MARK: - The instances

    private static func openBlobs(
        _ configuration: GantryConfiguration, _ logger: Logger
    ) async throws -> any BlobStore {
        if let bucket = configuration.s3.bucket {
            return try await openBucket(bucket, configuration.s3, logger)
        }
        try makeFolder(configuration.dataFolder)
        do throws(BlobError) {
            return try DiskBlobStore(
                DiskBlobConfiguration(folder: configuration.dataFolder, clock: Gantry.systemClock))
        } catch {
            guard error.code == .locked else { throw error }
            throw CommandFailure.failed("another process is working on the data folder \(configuration.dataFolder)")
        }
    }

    /// Opens the bucket alone; `nil` where none is configured.
    static func openBucket(
        _ configuration: GantryConfiguration, _ logger: Logger
    ) async throws -> (any BlobStore)? {
        guard let bucket = configuration.s3.bucket else { return nil }
        return try await openBucket(bucket, configuration.s3, logger)
    }

    private static func openBucket(
        _ bucket: String, _ settings: GantryConfiguration.S3, _ logger: Logger
    ) async throws -> S3BlobStore {
        guard let endpoint = settings.endpoint.map({ S3Endpoint($0) }) ?? S3Endpoint(awsRegion: settings.region) else {
            throw CommandFailure.failed("objects.s3.endpoint is not an address such as https://s3.example:9000")
        }
        guard let credentials = credentials(settings) else {
            throw CommandFailure.failed(
                "there is no key for the bucket: set objects.s3.accessKeyID and objects.s3.secretAccessKey, or "
                    + "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN")
        }
        var store = S3Configuration(endpoint: endpoint, bucket: bucket, credentials: credentials)
        store.region = settings.region
        store.addressing = settings.addressing == .path ? .path : .virtualHost
        store.prefix = settings.prefix
        store.certificateFile = settings.rootCertificate
        store.connections = settings.connections
        store.partSize = settings.partBytes
        if let problem = store.problem { throw CommandFailure.failed("objects.s3: \(problem)") }
        do {
            return try await S3BlobStore(store, logger: logger, clock: Gantry.systemClock)
        } catch let error as S3Error {
            throw CommandFailure.failed("the bucket \(bucket) at \(endpoint): \(error)")
        }
    }

    private static func credentials(_ settings: GantryConfiguration.S3) -> S3CredentialSource? {
        guard settings.accessKeyID.isEmpty else {
            return .fixed(
                S3Credentials(
                    accessKeyID: settings.accessKeyID, secretAccessKey: settings.secretAccessKey,
                    sessionToken: settings.sessionToken.isEmpty ? nil : settings.sessionToken))
        }
        return S3CredentialSource(environment: ProcessEnvironment.all, region: settings.region)
    }

    // MARK: - Folders

    /// Makes the folder and those above it. Only the owner can look into the last one: it holds patients' data.
    private static func makeFolder(_ path: String) throws {
        var made = path.hasPrefix("/") ? "/" : ""
        let components = path.split(separator: "/")
        for (index, component) in components.enumerated() {
            made += made.isEmpty || made == "/" ? String(component) : "/" + component
            guard mkdir(made, index == components.count - 1 ? 0o700 : 0o755) != 0, errno != EEXIST, errno != EISDIR
            else { continue }
            throw CommandFailure.failed("cannot make the folder \(made): \(String(cString: strerror(errno)))")
        }
    }
}
