package import NIOCore

/// Stands for the objects in a process that has none: whatever is asked of it fails as closed.
package struct AbsentBlobStore: BlobStore {
    package init() {}

    package func stage(expectedLength: Int?) async throws -> any BlobWriter { throw BlobError(.closed, in: "stage") }

    package func makeDurable(_ blobs: [StagedBlob]) async -> [Result<BlobLocation, BlobError>] {
        blobs.map { _ in .failure(BlobError(.closed, in: "makeDurable")) }
    }

    package func discard(_ blobs: [StagedBlob]) async {}

    package func read(_ blob: StagedBlob, _ range: Range<Int>) async throws -> ByteBuffer {
        throw BlobError(.closed, in: "read")
    }

    package func read(_ location: BlobLocation, _ range: Range<Int>) async throws -> ByteBuffer {
        throw BlobError(.closed, in: "read")
    }

    package func chunks(_ location: BlobLocation, _ range: Range<Int>, chunkSize: Int) -> BlobChunks {
        BlobChunks(range: range, chunkSize: chunkSize) { _ in
            PendingWork(.failure(BlobError(.closed, in: "chunks")))
        }
    }

    package func delete(_ locations: [BlobLocation]) async throws { throw BlobError(.closed, in: "delete") }

    package func storedBlobs(
        olderThan cutoff: Int64, after cursor: BlobCursor?, limit: Int
    ) async throws -> BlobPage { BlobPage(blobs: [], next: nil) }

    package func verify(_ location: BlobLocation) async throws -> [UInt8] { throw BlobError(.closed, in: "verify") }

    package func compact(
        olderThan cutoff: Int64,
        isLive: @Sendable (BlobLocation) async throws -> Bool,
        relocate: @Sendable ([(from: BlobLocation, to: BlobLocation)]) async throws -> Void
    ) async throws -> Int64 { 0 }

    package func space() async throws -> BlobSpace { throw BlobError(.closed, in: "space") }

    package func close() async throws {}
}
