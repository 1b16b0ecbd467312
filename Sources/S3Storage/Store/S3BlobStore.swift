package import BlobStorage
import Crypto
package import Logging
package import NIOCore
import Observability

/// Blobs as objects of a bucket, one for each.
///
/// Small blobs wait in memory and are put when they are made durable, many at a time. Large ones go to the bucket while they come in, under
/// the key that they keep; one that is given up is deleted, and what a crash leaves is found by the sweep: it lists what nothing names.
package final class S3BlobStore: BlobStore {
    let client: S3Client
    let keys: ObjectKeys
    /// Parts of large blobs that may be in memory.
    let heldParts: RequestSlots
    /// What the store can do beyond what every store can.
    package let capabilities: S3Capabilities

    /// Connects and tries the store out: throws an ``S3Error`` when the bucket is not there, we are not let in, or nothing answers.
    ///
    /// - Parameter clock: Milliseconds since 1970.
    package init(
        _ configuration: S3Configuration, logger: Logger, clock: @escaping @Sendable () -> Int64
    ) async throws {
        client = try S3Client(configuration, logger: logger, clock: clock)
        keys = ObjectKeys(prefix: configuration.prefix)
        heldParts = RequestSlots(configuration.heldParts)
        do {
            capabilities = try await client.probe()
        } catch {
            try? await client.close()
            throw error
        }
        logger.info("The object store was tried out", metadata: .keys([.reason: "\(capabilities)"]))
    }

    var configuration: S3Configuration { client.configuration }

    // MARK: - Writing

    package func stage(expectedLength: Int?) async throws -> any BlobWriter {
        S3BlobWriter(store: self)
    }

    package func makeDurable(_ blobs: [StagedBlob]) async -> [Result<BlobLocation, BlobError>] {
        var results = [Result<BlobLocation, BlobError>](
            repeating: .failure(BlobError(.closed, in: "makeDurable")), count: blobs.count)
        await withTaskGroup(of: (Int, Result<BlobLocation, BlobError>).self) { group in
            var next = 0
            func addNext() {
                guard next < blobs.count else { return }
                let index = next
                next += 1
                group.addTask { [self] in (index, await makeDurable(blobs[index])) }
            }
            for _ in 0..<max(1, configuration.parallelPuts) { addNext() }
            while let (index, result) = await group.next() {
                results[index] = result
                addNext()
            }
        }
        return results
    }

    private func makeDurable(_ blob: StagedBlob) async -> Result<BlobLocation, BlobError> {
        switch blob.content {
        case .object(let key): return .success(BlobLocation(.object(key), length: blob.length))
        case .memory(let pieces):
            do {
                guard let bytes = pieces.slice(0..<pieces.count) else { throw S3Error(.wrongLength, in: .putObject) }
                let key = makeKey()
                try await client.put(keys.key(key), .bytes(bytes, sha256: blob.digest), recordsDigest: true)
                return .success(BlobLocation(.object(key), length: blob.length))
            } catch {
                return .failure(Self.blobError(error, in: "makeDurable"))
            }
        }
    }

    package func discard(_ blobs: [StagedBlob]) async {
        let keys = blobs.compactMap { blob in
            if case .object(let key) = blob.content { self.keys.key(key) } else { nil }
        }
        guard !keys.isEmpty else { return }
        // Who gives up is often cancelled already; what is in the bucket must go all the same.
        _ = try? await PendingWork.begun { [self] in try await deleteObjects(keys) }.value()
    }

    /// A new key for a blob.
    func makeKey() -> BlobKey {
        var generator = SystemRandomNumberGenerator()
        return BlobKey(using: &generator)
    }

    // MARK: - Reading

    package func read(_ blob: StagedBlob, _ range: Range<Int>) async throws -> ByteBuffer {
        guard range.lowerBound >= 0, range.upperBound <= blob.length else { throw BlobError(.outOfBounds, in: "read") }
        switch blob.content {
        case .memory(let pieces):
            guard let bytes = pieces.slice(range) else { throw BlobError(.outOfBounds, in: "read") }
            return bytes
        case .object(let key): return try await get(keys.key(key), range, of: blob.length)
        }
    }

    package func read(_ location: BlobLocation, _ range: Range<Int>) async throws -> ByteBuffer {
        guard range.lowerBound >= 0, range.upperBound <= location.length else {
            throw BlobError(.outOfBounds, in: "read")
        }
        guard let key = objectKey(location) else { throw BlobError(.notFound, in: "read") }
        return try await get(key, range, of: location.length)
    }

    package func chunks(_ location: BlobLocation, _ range: Range<Int>, chunkSize: Int) -> BlobChunks {
        BlobChunks(range: range, chunkSize: chunkSize, window: configuration.piecesAhead) { [self] piece in
            PendingWork.begun { [self] in try await read(location, piece) }
        }
    }

    package var readsAtOnce: Int { configuration.readsAtOnce }

    package func blob(named name: ObjectName) async throws -> BlobLocation? {
        do {
            return BlobLocation(.named(name), length: try await client.head(name.description).length)
        } catch let error as S3Error where error.code == .notFound {
            return nil
        } catch {
            throw Self.failure(error, in: "read")
        }
    }

    /// What the object of a location is called; `nil` for a location that is in no bucket.
    private func objectKey(_ location: BlobLocation) -> String? {
        switch location.place {
        case .object(let key): keys.key(key)
        case .named(let name): name.description
        case .pack, .memory: nil
        }
    }

    private func get(_ key: String, _ range: Range<Int>, of length: Int) async throws -> ByteBuffer {
        do {
            return try await client.get(key, range, of: length)
        } catch {
            throw Self.failure(error, in: "read")
        }
    }

    package func verify(_ location: BlobLocation) async throws -> [UInt8] {
        guard let key = objectKey(location) else { throw BlobError(.notFound, in: "verify") }
        let head: S3ObjectHead
        do {
            head = try await client.head(key)
        } catch {
            throw Self.failure(error, in: "verify")
        }
        guard head.length == location.length else { throw BlobError(.corrupt, in: "verify") }
        var hasher = SHA256()
        for try await chunk in chunks(location) { chunk.withUnsafeReadableBytes { hasher.update(bufferPointer: $0) } }
        let digest = Array(hasher.finalize())
        if let recorded = head.recordedSHA256, recorded != hexDigits(digest) {
            throw BlobError(.corrupt, in: "verify")
        }
        return digest
    }

    // MARK: - The whole

    /// A bucket has no end that we could know of.
    package func space() async throws -> BlobSpace { BlobSpace(total: .max, available: .max) }

    package func close() async throws { try await client.close() }

    /// An error in the blob store's words. Being cancelled is no error of the store.
    static func failure(_ error: any Error, in operation: StaticString) -> any Error {
        error is CancellationError ? error : blobError(error, in: operation)
    }

    static func blobError(_ error: any Error, in operation: StaticString) -> BlobError {
        switch error {
        case let error as BlobError: error
        case let error as S3Error: BlobError(error, in: operation)
        default: BlobError(.unavailable, in: operation)
        }
    }
}
