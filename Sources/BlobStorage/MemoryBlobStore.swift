import Crypto
package import NIOCore
import Synchronization

/// Blobs in memory, for tests and for trying out. What it promises about durability it keeps until the process ends.
package final class MemoryBlobStore: BlobStore {
    private struct Entry {
        let bytes: ByteBuffer
        let digest: [UInt8]
        let storedAt: Int64
    }

    private struct State {
        var entries: [UInt64: Entry] = [:]
        var next: UInt64 = 1
        var used: Int64 = 0
    }

    private let state = Mutex(State())
    private let clock: @Sendable () -> Int64
    private let capacity: Int64

    /// - Parameters:
    ///   - capacity: Bytes that fit in; more is ``BlobError/Code-swift.enum/full``.
    ///   - clock: Milliseconds since 1970.
    package init(capacity: Int64 = .max, clock: @escaping @Sendable () -> Int64) {
        self.capacity = capacity
        self.clock = clock
    }

    package func stage(expectedLength: Int?) async throws -> any BlobWriter {
        MemoryBlobWriter()
    }

    package func makeDurable(_ blobs: [StagedBlob]) async -> [Result<BlobLocation, BlobError>] {
        let now = clock()
        return state.withLock { state in
            blobs.map { blob in
                guard case .memory(let pieces) = blob.content, let bytes = pieces.slice(0..<pieces.count) else {
                    return .failure(BlobError(.notFound, in: "makeDurable"))
                }
                guard Int64(blob.length) <= capacity - state.used else {
                    return .failure(BlobError(.full, in: "makeDurable"))
                }
                let number = state.next
                state.next += 1
                state.used += Int64(blob.length)
                state.entries[number] = Entry(bytes: bytes, digest: blob.digest, storedAt: now)
                return .success(BlobLocation(.memory(number), length: blob.length))
            }
        }
    }

    package func discard(_ blobs: [StagedBlob]) async {}

    package func read(_ blob: StagedBlob, _ range: Range<Int>) async throws -> ByteBuffer {
        guard case .memory(let pieces) = blob.content else { throw BlobError(.notFound, in: "read") }
        guard let bytes = pieces.slice(range) else { throw BlobError(.outOfBounds, in: "read") }
        return bytes
    }

    package func read(_ location: BlobLocation, _ range: Range<Int>) async throws -> ByteBuffer {
        try slice(entry(location).bytes, range)
    }

    /// Every blob has its location's text for a name.
    package func blob(named name: ObjectName) async throws -> BlobLocation? {
        guard let location = BlobLocation(rawValue: name.description), (try? entry(location)) != nil else { return nil }
        return location
    }

    package func chunks(_ location: BlobLocation, _ range: Range<Int>, chunkSize: Int) -> BlobChunks {
        BlobChunks(range: range, chunkSize: chunkSize) { [self] piece in
            PendingWork(Result { try slice(entry(location).bytes, piece) })
        }
    }

    package func delete(_ locations: [BlobLocation]) async throws {
        state.withLock { state in
            for location in locations {
                guard case .memory(let number) = location.place else { continue }
                guard let entry = state.entries.removeValue(forKey: number) else { continue }
                state.used -= Int64(entry.bytes.readableBytes)
            }
        }
    }

    package func storedBlobs(
        olderThan cutoff: Int64, after cursor: BlobCursor?, limit: Int
    ) async throws -> BlobPage {
        let first = cursor.flatMap { UInt64($0.rawValue) } ?? 0
        return state.withLock { state in
            let found = state.entries.filter { $0.key > first && $0.value.storedAt < cutoff }.sorted { $0.key < $1.key }
            let page = found.prefix(max(1, limit))
            let blobs = page.map { BlobLocation(.memory($0.key), length: $0.value.bytes.readableBytes) }
            let last = page.last.map { BlobCursor(rawValue: String($0.key)) }
            return BlobPage(blobs: blobs, next: found.count > page.count ? last : nil)
        }
    }

    package func verify(_ location: BlobLocation) async throws -> [UInt8] {
        let entry = try entry(location)
        let digest = entry.bytes.withUnsafeReadableBytes { Array(SHA256.hash(data: $0)) }
        guard digest == entry.digest else { throw BlobError(.corrupt, in: "verify") }
        return digest
    }

    @discardableResult
    package func compact(
        olderThan cutoff: Int64,
        isLive: @Sendable (BlobLocation) async throws -> Bool,
        relocate: @Sendable ([(from: BlobLocation, to: BlobLocation)]) async throws -> Void
    ) async throws -> Int64 {
        0
    }

    package func space() async throws -> BlobSpace {
        let total = min(capacity, 1 << 40)
        return BlobSpace(total: total, available: total - state.withLock { $0.used })
    }

    package func close() async throws {}

    private func entry(_ location: BlobLocation) throws(BlobError) -> Entry {
        guard case .memory(let number) = location.place, let entry = state.withLock({ $0.entries[number] }),
            entry.bytes.readableBytes == location.length
        else { throw BlobError(.notFound, in: "read") }
        return entry
    }

    private func slice(_ bytes: ByteBuffer, _ range: Range<Int>) throws(BlobError) -> ByteBuffer {
        guard range.lowerBound >= 0, range.upperBound <= bytes.readableBytes,
            let slice = bytes.getSlice(at: bytes.readerIndex + range.lowerBound, length: range.count)
        else { throw BlobError(.outOfBounds, in: "read") }
        return slice
    }
}

/// Takes a blob's bytes into memory.
///
/// `@unchecked Sendable`: one task owns it and its calls do not overlap.
private final class MemoryBlobWriter: BlobWriter, @unchecked Sendable {
    private var buffer = ByteBuffer()
    private var hasher = SHA256()
    private var isEnded = false

    var length: Int { buffer.readableBytes }

    func write(_ bytes: ByteBuffer) async throws {
        guard !isEnded else { throw BlobError(.closed, in: "write") }
        bytes.withUnsafeReadableBytes { hasher.update(bufferPointer: $0) }
        buffer.writeImmutableBuffer(bytes)
    }

    func finish() async throws -> StagedBlob {
        guard !isEnded else { throw BlobError(.closed, in: "finish") }
        isEnded = true
        return StagedBlob(
            length: buffer.readableBytes, digest: Array(hasher.finalize()), content: .memory(BytePieces(buffer)))
    }

    func abort() async {
        isEnded = true
    }
}
