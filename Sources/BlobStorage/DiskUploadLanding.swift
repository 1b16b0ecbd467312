import Glibc
package import NIOCore
package import NIOPosix
import Synchronization

/// How a ``DiskUploadLanding`` keeps its files. Every value but the folder has a working default.
package struct DiskUploadLandingConfiguration: Sendable {
    /// The landing's own folder, on the file system of the blobs where these are on disk; made when it is not there.
    package var folder: String
    /// The file of the signing keys; made when it is not there.
    package var keyFile: String
    /// What is before the key in the path of a URL, with a slash at both ends.
    package var path = "/uploads/"
    /// What one upload may be.
    package var limits = UploadLandingLimits(
        object: 64 << 30, part: (5 << 20)...(5 << 30), parts: 10_000, total: 256 << 30)
    /// Threads for file calls, when no pool is passed in.
    package var threads = 8
    /// Flushes a file's data and answers 0, or -1 with `errno`. A test may let it fail.
    package var flush: @Sendable (Int32) -> Int32 = { fdatasync($0) }

    package init(folder: String, keyFile: String) {
        self.folder = folder
        self.keyFile = keyFile
    }
}

/// Uploads that land in a folder of the gateway's own: it answers the PUTs itself and signs its URLs with an HMAC.
///
/// A file gets its name only when it is whole and flushed; under one key that happens once. Parts are files that are joined by the kernel when the
/// upload is complete. Names come from random keys, never from what a sender says.
package final class DiskUploadLanding: UploadLanding {
    package let limits: UploadLandingLimits
    package let isGateway = true

    let folder: LandingFolder
    let configuration: DiskUploadLandingConfiguration
    private let keys: Mutex<UploadSigningKeys>
    private let pool: NIOThreadPool
    private let ownsPool: Bool

    /// Opens or makes folder and key file; removes what an earlier process did not receive to its end. Blocks for a moment.
    package init(_ configuration: DiskUploadLandingConfiguration, threadPool: NIOThreadPool? = nil) throws(BlobError) {
        self.configuration = configuration
        limits = configuration.limits
        folder = LandingFolder(root: configuration.folder, flush: configuration.flush)
        try folder.open()
        keys = Mutex(try UploadSigningKeys(file: configuration.keyFile))
        ownsPool = threadPool == nil
        pool = threadPool ?? NIOThreadPool(numberOfThreads: configuration.threads)
        if ownsPool { pool.start() }
    }

    /// The keys that are believed now.
    package var signingKeys: UploadSigningKeys { keys.withLock { $0 } }

    /// Reads the key file again, so that keys may be changed while the server runs.
    package func reloadKeys() async throws {
        let path = configuration.keyFile
        let fresh = try await blocking { try UploadSigningKeys(file: path) }
        keys.withLock { $0 = fresh }
    }

    // MARK: - Issuing

    package func grant(_ key: UploadKey, _ constraints: UploadConstraints) async throws -> UploadGrant {
        grant(UploadSignature(.object(key), constraints))
    }

    package func grant(
        part: Int, of upload: MultipartUpload, _ constraints: UploadConstraints
    ) async throws -> UploadGrant {
        grant(UploadSignature(.part(part, upload), constraints))
    }

    private func grant(_ signature: UploadSignature) -> UploadGrant {
        let constraints = signature.constraints
        var headers: [(name: String, value: String)] = []
        if let type = constraints.contentType { headers.append(("Content-Type", type)) }
        if let length = constraints.contentLength { headers.append(("Content-Length", String(length))) }
        return UploadGrant(
            target: .gateway(
                configuration.path + signature.subject.key.description + "?" + signature.query(signedBy: signingKeys)),
            headers: headers, expiresAt: constraints.expiresAt / 1000 * 1000)
    }

    // MARK: - What has landed

    package func head(_ key: UploadKey) async throws -> LandedObject? {
        try await blocking { [folder] in try Self.object(key, in: .incoming, folder) }
    }

    /// Looks at the file of a key. Blocks.
    static func object(
        _ key: UploadKey, in area: LandingArea, _ folder: LandingFolder
    ) throws(BlobError) -> LandedObject? {
        var status = stat()
        guard stat(folder.path(key, in: area), &status) == 0 else {
            guard errno == ENOENT else { throw BlobError(errno: errno, in: "stat") }
            return nil
        }
        let modified = Int64(status.st_mtim.tv_sec) * 1000 + Int64(status.st_mtim.tv_nsec) / 1_000_000
        return LandedObject(key: key, length: Int(status.st_size), etag: nil, modified: modified)
    }

    package func read(_ object: LandedObject, _ range: Range<Int>) async throws -> ByteBuffer {
        try await start { [folder] in try Self.read(object, range, folder) }.value()
    }

    package func chunks(_ object: LandedObject, _ range: Range<Int>, chunkSize: Int) -> BlobChunks {
        BlobChunks(range: range, chunkSize: chunkSize) { [self] piece in
            start { [folder] in try Self.read(object, piece, folder) }
        }
    }

    private static func read(
        _ object: LandedObject, _ range: Range<Int>, _ folder: LandingFolder
    ) throws(BlobError) -> ByteBuffer {
        guard range.lowerBound >= 0, range.upperBound <= object.length else {
            throw BlobError(.outOfBounds, in: "read")
        }
        return try OpenFile(folder.path(object.key, in: .incoming)).read(
            at: Int64(range.lowerBound), count: range.count)
    }

    package func list(_ area: LandingArea, after cursor: BlobCursor?, limit: Int) async throws -> LandingPage {
        let last = cursor.flatMap { UploadKey($0.rawValue) }
        return try await blocking { [folder] in
            try Self.page(of: area, after: last, limit: max(1, limit), folder)
        }
    }

    private static func page(
        of area: LandingArea, after last: UploadKey?, limit: Int, _ folder: LandingFolder
    ) throws(BlobError) -> LandingPage {
        let top = folder.path(area)
        let past = last?.place ?? ""
        var objects: [LandedObject] = []
        // What is before the cursor's own folder was listed.
        for year in try folder.names(in: top) where year >= past.prefix(4) {
            for month in try folder.names(in: top + "/" + year) where year + "/" + month >= past.prefix(7) {
                for day in try folder.names(in: "\(top)/\(year)/\(month)") {
                    let place = "\(year)/\(month)/\(day)"
                    guard place >= past.prefix(10) else { continue }
                    for name in try folder.names(in: top + "/" + place) {
                        guard let key = UploadKey(UploadKey.prefix + place + "/" + name), last.map({ key > $0 }) ?? true
                        else { continue }
                        if objects.count == limit {
                            let cursor = objects.last.map { BlobCursor(rawValue: $0.key.description) }
                            return LandingPage(objects: objects, next: cursor)
                        }
                        if let object = try object(key, in: area, folder) { objects.append(object) }
                    }
                }
            }
        }
        return LandingPage(objects: objects, next: nil)
    }

    package func delete(_ keys: [UploadKey], from area: LandingArea) async throws {
        guard !keys.isEmpty else { return }
        try await blocking { [folder] in
            for key in keys {
                guard unlink(folder.path(key, in: area)) == 0 || errno == ENOENT else {
                    throw BlobError(errno: errno, in: "unlink")
                }
            }
        }
    }

    package func quarantine(_ key: UploadKey) async throws {
        try await blocking { [folder] in
            try folder.move(folder.path(key, in: .incoming), to: folder.path(key, in: .quarantine))
        }
    }

    /// Removes the empty folders of days before the given time, in milliseconds since 1970.
    package func removeEmptyFolders(before time: Int64) async throws {
        let day = String(UploadKey(milliseconds: time).place.prefix(10))
        try await blocking { [folder] in
            for area in LandingArea.allCases { try folder.removeEmptyDays(before: day, in: area) }
        }
    }

    package func adopting(_ object: LandedObject, into blobs: any BlobStore) async throws -> (any BlobWriter)? {
        guard let blobs = blobs as? DiskBlobStore, object.length > blobs.configuration.packedLength else { return nil }
        return AdoptingWriter(object, path: folder.path(object.key, in: .incoming), blobs: blobs)
    }

    package func close() async throws {
        if ownsPool { try await pool.shutdownGracefully() }
    }

    // MARK: - Threads

    /// Runs file calls on a thread.
    func blocking<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        try await start(body).value()
    }

    /// Begins file calls on a thread.
    func start<T: Sendable>(_ body: @escaping @Sendable () throws -> T) -> PendingWork<T> {
        let work = PendingWork<T>()
        pool.submit { state in
            work.finish(
                Result {
                    guard state == .active else { throw BlobError(.closed, in: "submit") }
                    return try body()
                })
        }
        return work
    }
}
