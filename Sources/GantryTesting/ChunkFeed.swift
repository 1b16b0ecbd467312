/// The ways to hand bytes to a parser that takes them in pieces: all at once, one by one, and split in several places.
///
/// Whatever the way, the result has to be the same.
package struct ChunkFeed: Hashable, Sendable, CustomStringConvertible {
    /// Length of each piece; the last may be shorter.
    package var size: Int
    /// Length of the first piece, if it differs.
    package var first: Int?

    package init(size: Int, first: Int? = nil) {
        self.size = max(size, 1)
        self.first = first
    }

    /// All bytes in one piece.
    package static let whole = ChunkFeed(size: .max)
    package static let byteByByte = ChunkFeed(size: 1)

    /// A good mixture for parameterised tests.
    package static let all: [ChunkFeed] = [
        .whole, .byteByByte, ChunkFeed(size: 2), ChunkFeed(size: 3), ChunkFeed(size: 7), ChunkFeed(size: 16),
        ChunkFeed(size: 61), ChunkFeed(size: 1000), ChunkFeed(size: .max, first: 133), ChunkFeed(size: 64, first: 1),
    ]

    /// Every way to cut so many bytes in two.
    package static func everySplit(of count: Int) -> [ChunkFeed] {
        (1..<max(count, 2)).map { ChunkFeed(size: .max, first: $0) }
    }

    /// Gives the bytes piece by piece.
    package func forEach<Failure: Error>(
        in bytes: [UInt8], _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        var start = 0
        while start < bytes.count {
            let wanted = start == 0 ? first ?? size : size
            let end = start + min(max(wanted, 1), bytes.count - start)
            // A copy of its own, so that reading past the piece is an error that tools can see.
            let piece = Array(bytes[start..<end])
            let result: Result<Void, Failure> = piece.withUnsafeBytes { buffer in
                do throws(Failure) {
                    return .success(try body(buffer))
                } catch {
                    return .failure(error)
                }
            }
            try result.get()
            start = end
        }
    }

    package var description: String {
        let rest = size == .max ? "all" : "\(size)"
        return first.map { "\($0), then \(rest)" } ?? rest
    }
}
