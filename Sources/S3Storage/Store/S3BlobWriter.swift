import BlobStorage
import Crypto
import NIOCore

/// Takes a blob's bytes: small ones stay in memory, those up to a part's length are put in one piece when they end, larger ones go as parts,
/// one of which is on its way while the next one fills.
///
/// `@unchecked Sendable`: one task owns it and its calls do not overlap.
final class S3BlobWriter: BlobWriter, @unchecked Sendable {
    private let store: S3BlobStore
    private let key: BlobKey
    private var hasher = SHA256()
    private var small = BytePieces()
    /// The part that is being filled, and the turn that lets it be in memory.
    private var buffer = ByteBuffer()
    private var bufferSlot: RequestSlots.Slot?
    private var uploadID: String?
    private var parts: [S3Part] = []
    /// The part on its way, with its turn.
    private var pending: (work: PendingWork<S3Part>, slot: RequestSlots.Slot?)?
    private var isEnded = false
    private(set) var length = 0

    init(store: S3BlobStore) {
        self.store = store
        key = store.makeKey()
    }

    private var objectKey: String { store.keys.key(key) }
    private var partSize: Int { store.configuration.partSize }

    func write(_ bytes: ByteBuffer) async throws {
        guard !isEnded else { throw BlobError(.closed, in: "write") }
        bytes.withUnsafeReadableBytes { hasher.update(bufferPointer: $0) }
        length += bytes.readableBytes
        guard length > store.configuration.heldLength else { return small.append(bytes) }
        do {
            if bufferSlot == nil, pending == nil {
                bufferSlot = try await store.heldParts.take()
                buffer = ByteBufferAllocator().buffer(capacity: min(partSize, 2 * store.configuration.heldLength))
                let waiting = small.pieces
                small = BytePieces()
                for piece in waiting { try await fill(piece) }
            }
            try await fill(bytes)
        } catch {
            throw S3BlobStore.failure(error, in: "write")
        }
    }

    private func fill(_ bytes: ByteBuffer) async throws {
        var rest = bytes
        while rest.readableBytes > 0 {
            // A part is sent when more is known to come: the last one may have any length, and a single one needs no upload.
            if buffer.readableBytes >= partSize { try await sendPart() }
            let room = max(0, partSize - buffer.readableBytes)
            if var part = rest.readSlice(length: min(room, rest.readableBytes)) { buffer.writeBuffer(&part) }
        }
    }

    /// Sends what is in the buffer, once the part before has arrived.
    private func sendPart() async throws {
        let id: String
        if let uploadID {
            id = uploadID
        } else {
            id = try await store.client.createUpload(objectKey)
            uploadID = id
        }
        try await settlePending()
        guard parts.count < 10_000 else { throw BlobError(.full, in: "write") }
        let body = buffer
        let number = parts.count + 1
        let work = PendingWork.begun { [client = store.client, objectKey] in
            try await client.uploadPart(objectKey, id, number: number, .bytes(body))
        }
        pending = (work, bufferSlot)
        bufferSlot = nil
        // A second part in memory only where there is room for it; else this one has to arrive first.
        if let slot = store.heldParts.takeNow() {
            bufferSlot = slot
            buffer = ByteBufferAllocator().buffer(capacity: partSize)
        } else {
            buffer = ByteBuffer()
            let slot = pending?.slot
            parts.append(try await work.value())
            pending = nil
            bufferSlot = slot
            buffer = body
            buffer.clear()
        }
    }

    private func settlePending() async throws {
        guard let current = pending else { return }
        parts.append(try await current.work.value())
        pending = nil
    }

    func finish() async throws -> StagedBlob {
        guard !isEnded else { throw BlobError(.closed, in: "finish") }
        let digest = Array(hasher.finalize())
        guard length > store.configuration.heldLength else {
            isEnded = true
            return StagedBlob(length: length, digest: digest, content: .memory(small))
        }
        do {
            if uploadID == nil {
                try await store.client.put(objectKey, .bytes(buffer, sha256: digest), recordsDigest: true)
            } else {
                try await sendPart()
                try await settlePending()
                if let uploadID { try await store.client.completeUpload(objectKey, uploadID, parts: parts) }
            }
        } catch {
            await abort()
            throw S3BlobStore.failure(error, in: "finish")
        }
        isEnded = true
        release()
        return StagedBlob(length: length, digest: digest, content: .object(key: key))
    }

    func abort() async {
        guard !isEnded else { return }
        isEnded = true
        let current = pending?.work
        let hasPut = length > store.configuration.heldLength
        let id = uploadID
        release()
        guard hasPut else { return }
        // Who gives up is often cancelled already; what is in the bucket must go all the same.
        let work = PendingWork.begun { [client = store.client, objectKey] in
            // A part that arrives behind the abort would stay.
            _ = try? await current?.value()
            if let id { try await client.abortUpload(objectKey, id) }
            try await client.delete(objectKey)
        }
        _ = try? await work.value()
    }

    private func release() {
        small = BytePieces()
        buffer = ByteBuffer()
        bufferSlot = nil
        pending = nil
    }
}
