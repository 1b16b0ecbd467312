import BlobStorage
import NIOCore

/// An instance about to be sent, with its file in memory where that is small.
struct ReadyInstance: Sendable {
    let content: InstanceContent
    let file: ByteBuffer?

    init(_ content: InstanceContent, from blobs: any BlobStore) async throws {
        self.content = try await content.begun()
        file = self.content.fitsInMemory ? try await self.content.bytes(from: blobs) : nil
    }

    /// Bytes of the file, as far as they are known.
    var length: Int? { file?.readableBytes ?? content.length }
}
