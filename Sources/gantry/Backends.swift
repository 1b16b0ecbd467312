import BlobStorage
import GantryServer
import Glibc
import SQLStorage
import SQLiteStorage

/// Turns the configuration into storage. The one file that names drivers.
enum Backends {
    /// Opens the storage of the data folder; makes what is not there. Blocks for a moment.
    static func open(_ configuration: GantryConfiguration) throws -> StorageBackends {
        let folder = configuration.dataFolder
        try makeFolder(folder)
        let blobs: DiskBlobStore
        do throws(BlobError) {
            blobs = try DiskBlobStore(DiskBlobConfiguration(folder: folder, clock: Gantry.systemClock))
        } catch {
            guard error.code == .locked else { throw error }
            throw CommandFailure.failed("another process is working on the data folder \(folder)")
        }
        let readers = 4
        let kibibytes = configuration.sqlite.cacheBytes / 1_024
        // One half for the connection that writes, the other for those that read.
        let database = try SQLiteDatabase(
            SQLiteConfiguration(
                path: folder + "/index.sqlite", readers: readers, writerCache: kibibytes / 2,
                readerCache: kibibytes / 2 / readers))
        return StorageBackends(database: database, blobs: blobs, landing: try landing(configuration))
    }

    /// The folder where presigned uploads land, on the file system of the blobs.
    private static func landing(_ configuration: GantryConfiguration) throws -> DiskUploadLanding {
        let folder = configuration.dataFolder
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

    /// Whether there is an archive in the data folder.
    static func exist(_ configuration: GantryConfiguration) -> Bool {
        access(configuration.dataFolder + "/index.sqlite", F_OK) == 0
    }

    /// Closes what ``open(_:)`` opened.
    static func close(_ backends: StorageBackends) async throws {
        try await backends.landing.close()
        try await backends.blobs.close()
        try await backends.database.close()
    }

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
