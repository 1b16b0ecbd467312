import Archive
import BlobStorage
import DICOMCore
import DICOMPixels
import NIOCore
import PixelWorkers

/// One frame of a stored instance.
struct StoredFrame: Sendable {
    let instance: StoredInstance
    let layout: FrameLayout
    /// From 1.
    let number: Int

    /// The frame as it is stored: little endian, beginning on a byte of its own, fragments joined.
    func bytes(from blobs: any BlobStore) async throws -> ByteBuffer {
        guard let ranges = layout.byteRanges(ofFrame: number) else {
            throw Problem(.noSuchResource, "There is no such frame.")
        }
        let source = StoredStream(instance: instance, blobs: blobs)
        var bytes = ByteBuffer()
        for range in ranges {
            let piece = try await source.read(range)
            if bytes.readableBytes == 0 { bytes = piece } else { bytes.writeImmutableBuffer(piece) }
        }
        guard let repacker = layout.repacker(forFrame: number) else { return bytes }
        guard let frame = repacker.frame(from: bytes.readableBytesView) else {
            throw Problem(.noSuchResource, "The pixel data ends within the frame.")
        }
        return ByteBuffer(bytes: frame)
    }

    /// The file up to the pixel data, and the frame, read in one go. Where that does not pay, because there are other
    /// frames or the two do not lie side by side, or would need work, it is `nil`.
    func bytesWithHead(from blobs: any BlobStore) async throws -> (head: ByteBuffer, frame: ByteBuffer)? {
        guard layout.frameCount == 1, let ranges = layout.byteRanges(ofFrame: 1), ranges.count == 1,
            let headLength = InstanceHead.length(of: instance), headLength <= Self.soonReadLength,
            ranges[0].lowerBound >= headLength, ranges[0].lowerBound - headLength <= Self.soonReadLength,
            layout.repacker(forFrame: 1) == nil
        else { return nil }
        let source = StoredStream(instance: instance, blobs: blobs)
        guard source.isPlain else { return nil }
        let bytes = try await source.read(0..<ranges[0].upperBound)
        guard let head = bytes.getSlice(at: bytes.readerIndex, length: headLength),
            let frame = bytes.getSlice(at: bytes.readerIndex + ranges[0].lowerBound, length: ranges[0].count)
        else { return nil }
        return (head, frame)
    }

    /// Longer heads are read when they are asked for.
    private static let soonReadLength = 64 << 10

    /// The frame in another transfer syntax, and the description that goes with it.
    func converted(to target: TransferSyntax, by access: PixelAccess) async throws -> DecodedFrame {
        let image = try await access.image(of: instance)
        guard let source = TransferSyntax(uid: instance.transferSyntaxUID) else {
            throw Problem(.notAcceptable, "The stored transfer syntax is unknown.")
        }
        return try await access.workers.withWorker { session in
            let stored = try await bytes(from: access.blobs)
            if !source.isEncapsulated { return try await session.encode(stored, image, to: target) }
            return target.isEncapsulated
                ? try await session.transcode(stored, from: source, as: image, to: target)
                : try await session.decode(stored, from: source, as: image)
        }
    }
}
