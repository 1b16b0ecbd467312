import Archive
import BlobStorage
import NIOCore

/// Compares what two stored files hold behind their file meta information (D-11).
struct DataSetComparing {
    let blobs: any BlobStore

    /// Bytes read at a time from each of the two.
    private static let chunkSize = 256 << 10

    /// Whether both data sets are the same, byte for byte. Reads no further than the first difference.
    func areEqual(
        _ left: BlobLocation, _ leftRange: Range<Int>, _ right: BlobLocation, _ rightRange: Range<Int>
    ) async throws -> Bool {
        guard leftRange.count == rightRange.count else { return false }
        var rights = blobs.chunks(right, rightRange, chunkSize: Self.chunkSize).makeAsyncIterator()
        var rest = ByteBuffer()
        for try await var chunk in blobs.chunks(left, leftRange, chunkSize: Self.chunkSize) {
            while chunk.readableBytes > 0 {
                if rest.readableBytes == 0 {
                    guard let next = try await rights.next() else { return false }
                    rest = next
                }
                let count = min(chunk.readableBytes, rest.readableBytes)
                guard chunk.readSlice(length: count) == rest.readSlice(length: count) else { return false }
            }
        }
        return rest.readableBytes == 0
    }
}
