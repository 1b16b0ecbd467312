import Crypto
import Glibc
import NIOCore

/// Takes a blob's bytes: small ones stay in memory, the others go to a temporary file in pieces of 1 MiB, one of which is being written
/// while the next one fills.
///
/// `@unchecked Sendable`: one task owns it and its calls do not overlap.
final class DiskBlobWriter: BlobWriter, @unchecked Sendable {
    private static let pieceSize = 1 << 20

    private let store: DiskBlobStore
    private var hasher = SHA256()
    /// What stays in memory as long as the blob is small.
    private var small = BytePieces()
    /// The piece of the file that is being filled.
    private var buffer = ByteBuffer()
    private var target: (key: BlobKey, file: OpenFile)?
    private var flushed: Int64 = 0
    /// The piece on its way to the file; gives its buffer back.
    private var pending: PendingWork<ByteBuffer>?
    private var isEnded = false
    private(set) var length = 0

    init(store: DiskBlobStore) {
        self.store = store
    }

    deinit {
        // Forgotten by its owner.
        if !isEnded, let target { unlink(store.folder.incomingPath(target.key)) }
    }

    func write(_ bytes: ByteBuffer) async throws {
        guard !isEnded else { throw BlobError(.closed, in: "write") }
        bytes.withUnsafeReadableBytes { hasher.update(bufferPointer: $0) }
        length += bytes.readableBytes
        if target == nil {
            guard length > store.configuration.packedLength else { return small.append(bytes) }
            try await beginFile()
            let waiting = small.pieces
            small = BytePieces()
            for piece in waiting { try await fill(piece) }
        }
        try await fill(bytes)
    }

    private func fill(_ bytes: ByteBuffer) async throws {
        var rest = bytes
        while rest.readableBytes > 0 {
            let room = max(0, Self.pieceSize - buffer.readableBytes)
            if var part = rest.readSlice(length: min(room, rest.readableBytes)) { buffer.writeBuffer(&part) }
            if buffer.readableBytes >= Self.pieceSize { try await writePiece() }
        }
    }

    func finish() async throws -> StagedBlob {
        guard !isEnded else { throw BlobError(.closed, in: "finish") }
        let digest = Array(hasher.finalize())
        guard let target else {
            isEnded = true
            return StagedBlob(length: length, digest: digest, content: .memory(small))
        }
        do {
            try await writePiece()
            _ = try await pending?.value()
            pending = nil
            let configuration = store.configuration
            try await store.blocking {
                target.file.setChanged(configuration.clock())
                guard configuration.flush(target.file.descriptor) == 0 else {
                    throw BlobError(errno: errno, in: "fdatasync")
                }
            }
        } catch {
            await abort()
            throw error
        }
        isEnded = true
        self.target = nil
        return StagedBlob(length: length, digest: digest, content: .object(key: target.key))
    }

    func abort() async {
        guard !isEnded else { return }
        isEnded = true
        small = BytePieces()
        buffer = ByteBuffer()
        _ = try? await pending?.value()
        pending = nil
        guard let target else { return }
        self.target = nil
        let path = store.folder.incomingPath(target.key)
        _ = try? await store.blocking { unlink(path) }
    }

    private func beginFile() async throws {
        var generator = SystemRandomNumberGenerator()
        let key = BlobKey(using: &generator)
        let path = store.folder.incomingPath(key)
        let file = try await store.blocking { try OpenFile(path, create: true, writable: true) }
        target = (key, file)
        buffer.reserveCapacity(Self.pieceSize)
    }

    /// Sends what is in the buffer to the file, once the piece before has arrived there.
    private func writePiece() async throws {
        guard let file = target?.file else { return }
        var next = try await pending?.value() ?? ByteBufferAllocator().buffer(capacity: Self.pieceSize)
        pending = nil
        next.clear()
        let piece = buffer
        buffer = next
        guard piece.readableBytes > 0 else { return }
        let offset = flushed
        flushed += Int64(piece.readableBytes)
        pending = store.start {
            try file.write(piece, at: offset)
            return piece
        }
    }
}
