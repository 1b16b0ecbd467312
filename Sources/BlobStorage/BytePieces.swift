package import NIOCore

/// Bytes as they came in: large pieces are kept as they are, small ones are put together, so that a sender of many
/// small pieces does not make us hold a receive buffer for each.
package struct BytePieces: Hashable, Sendable {
    package private(set) var pieces: [ByteBuffer] = []
    package private(set) var count = 0
    /// Whether the last piece is a buffer of our own.
    private var isLastOwn = false

    /// From this length a piece is kept without copying it.
    private static let keptLength = 16 << 10

    package init() {}

    package init(_ bytes: ByteBuffer) {
        pieces = [bytes]
        count = bytes.readableBytes
    }

    package mutating func append(_ bytes: ByteBuffer) {
        guard bytes.readableBytes > 0 else { return }
        count += bytes.readableBytes
        if bytes.readableBytes >= Self.keptLength {
            pieces.append(bytes)
            isLastOwn = false
            return
        }
        if !isLastOwn {
            pieces.append(ByteBufferAllocator().buffer(capacity: bytes.readableBytes))
            isLastOwn = true
        }
        pieces[pieces.count - 1].writeImmutableBuffer(bytes)
    }

    /// These bytes in one piece; `nil` when they are not all there.
    package func slice(_ range: Range<Int>) -> ByteBuffer? {
        guard range.lowerBound >= 0, range.upperBound <= count else { return nil }
        var result = ByteBuffer()
        var start = 0
        for piece in pieces {
            let wanted = range.clamped(to: start..<start + piece.readableBytes)
            defer { start += piece.readableBytes }
            guard !wanted.isEmpty,
                let part = piece.getSlice(at: piece.readerIndex + wanted.lowerBound - start, length: wanted.count)
            else { continue }
            if wanted.count == range.count { return part }
            result.writeImmutableBuffer(part)
        }
        return result
    }
}
