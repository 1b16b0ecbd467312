import Crypto
import Glibc
package import NIOCore
package import NIOPosix
import Synchronization

/// How a ``DiskBlobStore`` keeps its files. Every value but the folder has a working default.
package struct DiskBlobConfiguration: Sendable {
    /// The store's own folder; made when it is not there.
    package var folder: String
    /// Blobs up to this length go into packs, longer ones get a file of their own.
    package var packedLength = 1 << 20
    /// The length from which a pack is sealed.
    package var packLimit: Int64 = 256 << 20
    /// Files kept open for reading.
    package var openFiles = 64
    /// Threads for file calls, when no pool is passed in.
    package var threads = 4
    /// Milliseconds since 1970.
    package var clock: @Sendable () -> Int64
    /// Flushes a file's data and answers 0, or -1 with `errno`. A test may let it fail.
    package var flush: @Sendable (Int32) -> Int32 = { fdatasync($0) }

    package init(folder: String, clock: @escaping @Sendable () -> Int64) {
        self.folder = folder
        self.clock = clock
    }
}

/// Blobs in a folder of a local disk.
///
/// Small blobs are appended to pack files: all that become durable together cost one write and one flush. Larger ones are written to a
/// temporary file in large pieces, flushed, renamed, and the folder flushed. File calls run on a thread pool.
package final class DiskBlobStore: BlobStore {
    /// Up to how many bytes are copied from the kernel's memory by the task that asks for them.
    private static let cachedReadLimit = 1 << 20

    let configuration: DiskBlobConfiguration
    let folder: BlobFolder
    let files: OpenFileCache
    private let pool: NIOThreadPool
    private let ownsPool: Bool
    private let lock: OpenFile
    private let writer: PackWriter
    let packs: Mutex<PackBook>
    /// Held while a group is written; its order is that of the packs. What it guards is whether any more may be.
    private let isClosed = Mutex(false)

    /// What is known of the packs.
    struct PackBook {
        /// The pack that is being written, if any; it and all later ones are not sealed.
        var firstOpen: UInt32
        /// Bytes known to be dead, by pack.
        var dead: [UInt32: Int64] = [:]
        /// Packs whose records were all asked about since the store was opened.
        var examined: Set<UInt32> = []
        /// Packs without live records, deleted at the next compaction: reads that began before may still open them.
        var retired: Set<UInt32> = []
    }

    /// Opens or makes the folder; removes what an earlier process left unfinished. Blocks for a moment.
    ///
    /// A pack that lost power in its tail is left as it is: what was acknowledged lies before the tail, and nothing is appended to it.
    package init(_ configuration: DiskBlobConfiguration, threadPool: NIOThreadPool? = nil) throws(BlobError) {
        self.configuration = configuration
        folder = BlobFolder(root: configuration.folder, flush: configuration.flush)
        lock = try folder.open()
        let last = try folder.names(in: folder.packs).compactMap(BlobFolder.packNumber).max()
        let first = last.map { $0 + 1 } ?? 1
        packs = Mutex(PackBook(firstOpen: first))
        writer = PackWriter(folder: folder, limit: configuration.packLimit, number: first)
        files = OpenFileCache(limit: configuration.openFiles)
        ownsPool = threadPool == nil
        pool = threadPool ?? NIOThreadPool(numberOfThreads: configuration.threads)
        if ownsPool { pool.start() }
    }

    // MARK: - Writing

    package func stage(expectedLength: Int?) async throws -> any BlobWriter {
        DiskBlobWriter(store: self)
    }

    package func makeDurable(_ blobs: [StagedBlob]) async -> [Result<BlobLocation, BlobError>] {
        guard !blobs.isEmpty else { return [] }
        return (try? await blocking { [self] in commit(blobs) }) ?? Self.closed(blobs)
    }

    package var blockingCommit: (@Sendable ([StagedBlob]) -> [Result<BlobLocation, BlobError>])? {
        { [self] blobs in commit(blobs) }
    }

    /// One group at a time: packs are appended to in order.
    private func commit(_ blobs: [StagedBlob]) -> [Result<BlobLocation, BlobError>] {
        isClosed.withLock { isClosed in isClosed ? Self.closed(blobs) : commitAlone(blobs) }
    }

    private static func closed(_ blobs: [StagedBlob]) -> [Result<BlobLocation, BlobError>] {
        blobs.map { _ in .failure(BlobError(.closed, in: "makeDurable")) }
    }

    private func commitAlone(_ blobs: [StagedBlob]) -> [Result<BlobLocation, BlobError>] {
        let now = configuration.clock()
        var results = Self.closed(blobs)
        var generator = SystemRandomNumberGenerator()
        var records: [(record: PackRecord, payload: BytePieces)] = []
        var packed: [Int] = []
        var moved: [(index: Int, key: BlobKey)] = []
        for (index, blob) in blobs.enumerated() {
            switch blob.content {
            case .memory(let bytes):
                let record = PackRecord(
                    key: BlobKey(using: &generator), length: blob.length, storedAt: now, digest: blob.digest)
                records.append((record, bytes))
                packed.append(index)
            case .object(let key):
                moved.append((index, key))
            }
        }
        if !records.isEmpty {
            do throws(BlobError) {
                let locations = try writer.append(records) { number in packs.withLock { $0.firstOpen = number } }
                for (index, location) in zip(packed, locations) { results[index] = .success(location) }
            } catch {
                for index in packed { results[index] = .failure(error) }
            }
        }
        moveIntoPlace(moved, of: blobs, now: now, results: &results)
        return results
    }

    /// Gives large blobs their names. Their bytes were flushed when they were finished.
    private func moveIntoPlace(
        _ moved: [(index: Int, key: BlobKey)], of blobs: [StagedBlob], now: Int64,
        results: inout [Result<BlobLocation, BlobError>]
    ) {
        var touched: [String: [Int]] = [:]
        for (index, key) in moved {
            do throws(BlobError) {
                let path = folder.objectFolder(key)
                if try folder.make(path) { try folder.flushFolder(folder.objects) }
                guard rename(folder.incomingPath(key), folder.objectPath(key)) == 0 else {
                    throw BlobError(errno: errno, in: "rename")
                }
                touched[path, default: []].append(index)
                results[index] = .success(BlobLocation(.object(key), length: blobs[index].length))
            } catch {
                unlink(folder.incomingPath(key))
                results[index] = .failure(error)
            }
        }
        for (path, indices) in touched {
            do throws(BlobError) {
                try folder.flushFolder(path)
            } catch {
                for index in indices {
                    if case .success(let location) = results[index], case .object(let key) = location.place {
                        unlink(folder.objectPath(key))
                    }
                    results[index] = .failure(error)
                }
            }
        }
    }

    package func discard(_ blobs: [StagedBlob]) async {
        let keys = blobs.compactMap { blob in
            if case .object(let key) = blob.content { key } else { nil }
        }
        guard !keys.isEmpty else { return }
        try? await blocking { [folder] in
            for key in keys { unlink(folder.incomingPath(key)) }
        }
    }

    // MARK: - Reading

    package func read(_ blob: StagedBlob, _ range: Range<Int>) async throws -> ByteBuffer {
        guard range.lowerBound >= 0, range.upperBound <= blob.length else { throw BlobError(.outOfBounds, in: "read") }
        switch blob.content {
        case .memory(let bytes):
            guard let slice = bytes.slice(range) else { throw BlobError(.outOfBounds, in: "read") }
            return slice
        case .object(let key):
            return try await blocking { [folder] in
                try OpenFile(folder.incomingPath(key)).read(at: Int64(range.lowerBound), count: range.count)
            }
        }
    }

    package func read(_ location: BlobLocation, _ range: Range<Int>) async throws -> ByteBuffer {
        let place = try FilePlace(location, range, in: folder)
        // What the kernel has in memory costs less to copy here than to ask a thread for it.
        if range.count <= Self.cachedReadLimit,
            let bytes = files.cached(place.key)?.readCached(at: place.offset, count: range.count)
        {
            return bytes
        }
        return try await blocking { [files] in
            try files.file(place.key, path: place.path).read(at: place.offset, count: range.count)
        }
    }

    package func chunks(_ location: BlobLocation, _ range: Range<Int>, chunkSize: Int) -> BlobChunks {
        BlobChunks(range: range, chunkSize: chunkSize) { [self] piece in
            let work = PendingWork<ByteBuffer>()
            let place: FilePlace
            do throws(BlobError) {
                place = try FilePlace(location, piece, in: folder)
            } catch {
                work.finish(.failure(error))
                return work
            }
            pool.submit { [files] state in
                work.finish(
                    Result {
                        guard state == .active else { throw BlobError(.closed, in: "read") }
                        return try files.file(place.key, path: place.path).read(at: place.offset, count: piece.count)
                    })
            }
            return work
        }
    }

    package func verify(_ location: BlobLocation) async throws -> [UInt8] {
        var hasher = SHA256()
        for try await chunk in chunks(location) {
            chunk.withUnsafeReadableBytes { hasher.update(bufferPointer: $0) }
        }
        let digest = Array(hasher.finalize())
        switch location.place {
        case .pack(let number, let offset):
            let place = BlobLocation.Place.pack(number, offset: 0)
            let header = try await blocking { [files, folder] in
                try files.file(place, path: folder.packPath(number))
                    .read(at: offset - Int64(PackRecord.headerSize), count: PackRecord.headerSize)
            }
            guard let record = PackRecord(header), record.length == location.length, record.digest == digest else {
                throw BlobError(.corrupt, in: "verify")
            }
        case .object(let key):
            let length = try await blocking { [folder] in try OpenFile(folder.objectPath(key)).status().length }
            guard length == Int64(location.length) else { throw BlobError(.corrupt, in: "verify") }
        case .memory, .named:
            throw BlobError(.notFound, in: "verify")
        }
        return digest
    }

    // MARK: - Deleting

    package func delete(_ locations: [BlobLocation]) async throws {
        var keys: [BlobKey] = []
        packs.withLock { packs in
            for location in locations {
                switch location.place {
                case .pack(let number, _):
                    packs.dead[number, default: 0] += Int64(location.length + PackRecord.headerSize)
                case .object(let key): keys.append(key)
                case .memory, .named: break
                }
            }
        }
        guard !keys.isEmpty else { return }
        try await blocking { [keys, files, folder] in
            for key in keys {
                files.forget(.object(key))
                guard unlink(folder.objectPath(key)) == 0 || errno == ENOENT else {
                    throw BlobError(errno: errno, in: "unlink")
                }
            }
        }
    }

    // MARK: - The whole

    package func space() async throws -> BlobSpace {
        try await blocking { [folder] in
            var status = statvfs()
            guard statvfs(folder.root, &status) == 0 else { throw BlobError(errno: errno, in: "statvfs") }
            let unit = Int64(status.f_frsize)
            return BlobSpace(total: Int64(status.f_blocks) * unit, available: Int64(status.f_bavail) * unit)
        }
    }

    package func close() async throws {
        // Behind the group that is being written.
        let isFirst = try await blocking { [self] in
            isClosed.withLock { isClosed in
                defer { isClosed = true }
                return !isClosed
            }
        }
        guard isFirst else { return }
        files.removeAll()
        _ = flock(lock.descriptor, LOCK_UN)
        if ownsPool { try await pool.shutdownGracefully() }
    }

    /// Runs file calls on a thread.
    func blocking<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        let work = start(body)
        return try await work.value()
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

/// The file and offset of a piece of a blob.
struct FilePlace: Sendable {
    /// The file's key in the cache.
    let key: BlobLocation.Place
    let offset: Int64
    private let folder: BlobFolder

    var path: String {
        switch key {
        case .pack(let number, _): folder.packPath(number)
        case .object(let name): folder.objectPath(name)
        case .memory, .named: ""
        }
    }

    init(_ location: BlobLocation, _ range: Range<Int>, in folder: BlobFolder) throws(BlobError) {
        guard range.lowerBound >= 0, range.upperBound <= location.length else {
            throw BlobError(.outOfBounds, in: "read")
        }
        self.folder = folder
        switch location.place {
        case .pack(let number, let start):
            key = .pack(number, offset: 0)
            let (sum, overflows) = start.addingReportingOverflow(Int64(range.lowerBound))
            guard !overflows else { throw BlobError(.outOfBounds, in: "read") }
            offset = sum
        case .object:
            key = location.place
            offset = Int64(range.lowerBound)
        case .memory, .named:
            throw BlobError(.notFound, in: "read")
        }
    }
}
