import NIOCore
import Synchronization

/// Thumbnails that were made lately, in memory: lists of studies ask for the same ones again and again.
final class ThumbnailCache: Sendable {
    struct Key: Hashable, Sendable {
        /// The version of the instance, or the letters of an icon.
        enum Source: Hashable, Sendable {
            case frame(version: Int64, number: Int)
            case icon(String)
        }

        let source: Source
        let width: Int
        let height: Int
        let mediaType: String
    }

    /// Larger ones are not kept.
    static let lengthLimit = 64 << 10
    private static let limit = 256

    private let kept = Mutex<(images: [Key: (bytes: ByteBuffer, used: UInt64)], clock: UInt64)>(([:], 0))

    /// The image, made if it is not there.
    func image(_ key: Key, _ make: () async throws -> ByteBuffer) async throws -> ByteBuffer {
        let known: ByteBuffer? = kept.withLock { kept in
            kept.clock += 1
            kept.images[key]?.used = kept.clock
            return kept.images[key]?.bytes
        }
        if let known { return known }
        let bytes = try await make()
        guard bytes.readableBytes <= Self.lengthLimit else { return bytes }
        kept.withLock { kept in
            if kept.images.count >= Self.limit,
                let oldest = kept.images.min(by: { $0.value.used < $1.value.used })?.key
            {
                kept.images[oldest] = nil
            }
            // A copy of its own: what was made may be a slice of something large.
            kept.images[key] = (ByteBuffer(bytes: bytes.readableBytesView), kept.clock)
        }
        return bytes
    }
}
