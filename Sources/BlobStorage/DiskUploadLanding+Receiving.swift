import Crypto
import Glibc
package import NIOCore

extension DiskUploadLanding {
    /// Begins to take the body of a PUT. Whether the URL grants it was checked before.
    ///
    /// - Parameter sha256: Whether the digest is wanted: when it was granted, or the sender tells it.
    package func receive(_ granted: UploadSignature, sha256: [UInt8]? = nil) throws -> LandingWriter {
        var destination = LandingWriter.Destination.object(granted.subject.key)
        if case .part(let part, let upload) = granted.subject {
            guard let id = BlobKey(upload.id) else { throw UploadLandingError(.noSuchUpload) }
            destination = .part(part, id)
        }
        return LandingWriter(
            landing: self, destination: destination, length: granted.constraints.contentLength,
            digest: granted.constraints.sha256 ?? sha256)
    }
}

/// Takes the body of one PUT in pieces of 1 MiB, one of which is being written while the next one fills. What is not whole at the end, or is given up,
/// leaves nothing.
///
/// `@unchecked Sendable`: one task owns it and its calls do not overlap.
package final class LandingWriter: @unchecked Sendable {
    enum Destination: Sendable {
        case object(UploadKey)
        case part(Int, BlobKey)
    }

    private static let pieceSize = 1 << 20

    private let landing: DiskUploadLanding
    private let destination: Destination
    private let expectedLength: Int?
    private let expectedDigest: [UInt8]?
    private var hasher = SHA256()
    private var buffer = ByteBuffer()
    private let path: String
    private var file: OpenFile?
    private var flushed: Int64 = 0
    /// The piece on its way to the file; gives its buffer back.
    private var pending: PendingWork<ByteBuffer>?
    private var isEnded = false
    /// Bytes taken so far.
    package private(set) var length = 0

    init(landing: DiskUploadLanding, destination: Destination, length: Int?, digest: [UInt8]?) {
        self.landing = landing
        self.destination = destination
        expectedLength = length
        expectedDigest = digest
        var generator = SystemRandomNumberGenerator()
        path = landing.folder.receivingPath(BlobKey(using: &generator))
    }

    deinit {
        // Forgotten by its owner.
        if !isEnded, file != nil { unlink(path) }
    }

    /// Takes the next bytes; returns when there is room for more.
    package func write(_ bytes: ByteBuffer) async throws {
        guard !isEnded else { throw BlobError(.closed, in: "write") }
        length += bytes.readableBytes
        if let expectedLength, length > expectedLength { throw UploadLandingError(.wrongLength) }
        if expectedDigest != nil { bytes.withUnsafeReadableBytes { hasher.update(bufferPointer: $0) } }
        var rest = bytes
        while rest.readableBytes > 0 {
            let room = max(0, Self.pieceSize - buffer.readableBytes)
            if var part = rest.readSlice(length: min(room, rest.readableBytes)) { buffer.writeBuffer(&part) }
            if buffer.readableBytes >= Self.pieceSize { try await writePiece() }
        }
    }

    /// Ends the body: checks it, flushes it, and gives it its name.
    ///
    /// - Returns: its entity tag, without quotation marks.
    package func finish() async throws -> String {
        guard !isEnded else { throw BlobError(.closed, in: "finish") }
        do {
            guard expectedLength.map({ $0 == length }) ?? true else { throw UploadLandingError(.wrongLength) }
            if let expectedDigest {
                // Both are known to the sender: nothing is told by the time it takes.
                guard Array(hasher.finalize()) == expectedDigest else { throw UploadLandingError(.wrongDigest) }
            }
            _ = try await pending?.value()
            pending = nil
            let etag = try await place()
            isEnded = true
            return etag
        } catch {
            await abort()
            throw error
        }
    }

    /// Gives the body up; nothing of it remains.
    package func abort() async {
        guard !isEnded else { return }
        isEnded = true
        buffer = ByteBuffer()
        _ = try? await pending?.value()
        pending = nil
        guard file != nil else { return }
        file = nil
        let path = path
        _ = try? await landing.blocking { unlink(path) }
    }

    /// Writes what is left, and flushes, and names the file: a small body needs its thread once.
    private func place() async throws -> String {
        let rest = buffer
        buffer = ByteBuffer()
        let (open, path, destination, offset, folder) = (file, path, destination, flushed, landing.folder)
        return try await landing.blocking {
            do {
                let file = try open ?? OpenFile(path, create: true, writable: true)
                try file.write(rest, at: offset)
                guard folder.flush(file.descriptor) == 0 else { throw BlobError(errno: errno, in: "fdatasync") }
                switch destination {
                case .object(let key):
                    try folder.place(path, at: folder.path(key, in: .incoming))
                    return String(key.place.suffix(32))
                case .part(let number, let upload):
                    return try PartFolder(upload, in: folder).place(path, as: number)
                }
            } catch {
                unlink(path)
                throw error
            }
        }
    }

    private func writePiece() async throws {
        var next = try await pending?.value() ?? ByteBufferAllocator().buffer(capacity: Self.pieceSize)
        pending = nil
        next.clear()
        let piece = buffer
        buffer = next
        let target: OpenFile
        if let file {
            target = file
        } else {
            let path = path
            target = try await landing.blocking { try OpenFile(path, create: true, writable: true) }
            file = target
        }
        let offset = flushed
        flushed += Int64(piece.readableBytes)
        pending = landing.start {
            try target.write(piece, at: offset)
            return piece
        }
    }
}
