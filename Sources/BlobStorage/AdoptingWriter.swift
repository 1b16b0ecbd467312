import Crypto
import Glibc
import NIOCore

/// Stages a file that has landed as a blob, by a second name for it: its bytes are hashed, and not copied.
///
/// The landing never writes to a file that has a name, so that what was hashed is what is kept.
///
/// `@unchecked Sendable`: one task owns it and its calls do not overlap.
final class AdoptingWriter: BlobWriter, @unchecked Sendable {
    private let object: LandedObject
    private let path: String
    private let blobs: DiskBlobStore
    private var hasher = SHA256()
    private var isEnded = false
    private(set) var length = 0

    init(_ object: LandedObject, path: String, blobs: DiskBlobStore) {
        self.object = object
        self.path = path
        self.blobs = blobs
    }

    func write(_ bytes: ByteBuffer) async throws {
        guard !isEnded else { throw BlobError(.closed, in: "write") }
        bytes.withUnsafeReadableBytes { hasher.update(bufferPointer: $0) }
        length += bytes.readableBytes
    }

    func finish() async throws -> StagedBlob {
        guard !isEnded else { throw BlobError(.closed, in: "finish") }
        isEnded = true
        guard length == object.length else { throw BlobError(.corrupt, in: "finish") }
        var generator = SystemRandomNumberGenerator()
        let key = BlobKey(using: &generator)
        let (path, staged) = (path, blobs.folder.incomingPath(key))
        let now = blobs.configuration.clock()
        try await blobs.blocking {
            guard link(path, staged) == 0 else { throw BlobError(errno: errno, in: "link") }
            // The sweep of blobs goes by the file's time, and leaves young ones alone.
            try OpenFile(staged, writable: true).setChanged(now)
        }
        return StagedBlob(length: length, digest: Array(hasher.finalize()), content: .object(key: key))
    }

    func abort() async { isEnded = true }
}
