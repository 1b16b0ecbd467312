package import NIOCore

/// A blob's bytes piece by piece, in order, with one piece read ahead while the caller is busy.
package struct BlobChunks: AsyncSequence, Sendable {
    package typealias Element = ByteBuffer

    /// Starts to read a piece and gives a promise of it.
    private let begin: @Sendable (Range<Int>) -> PendingWork<ByteBuffer>
    private let range: Range<Int>
    private let chunkSize: Int

    init(range: Range<Int>, chunkSize: Int, begin: @escaping @Sendable (Range<Int>) -> PendingWork<ByteBuffer>) {
        self.range = range
        self.chunkSize = Swift.max(1, chunkSize)
        self.begin = begin
    }

    package func makeAsyncIterator() -> Iterator {
        Iterator(begin: begin, rest: range, chunkSize: chunkSize)
    }

    /// Reads on. Ends by throwing when the store does; cancellation ends it between pieces.
    package struct Iterator: AsyncIteratorProtocol {
        fileprivate let begin: @Sendable (Range<Int>) -> PendingWork<ByteBuffer>
        fileprivate var rest: Range<Int>
        fileprivate let chunkSize: Int
        private var ahead: PendingWork<ByteBuffer>?

        fileprivate init(
            begin: @escaping @Sendable (Range<Int>) -> PendingWork<ByteBuffer>, rest: Range<Int>, chunkSize: Int
        ) {
            self.begin = begin
            self.rest = rest
            self.chunkSize = chunkSize
        }

        package mutating func next() async throws -> ByteBuffer? {
            guard let current = ahead ?? beginNext() else { return nil }
            ahead = nil
            try Task.checkCancellation()
            let chunk = try await current.value()
            ahead = beginNext()
            return chunk
        }

        private mutating func beginNext() -> PendingWork<ByteBuffer>? {
            guard !rest.isEmpty else { return nil }
            let end = rest.count > chunkSize ? rest.lowerBound + chunkSize : rest.upperBound
            let piece = rest.lowerBound..<end
            rest = end..<rest.upperBound
            return begin(piece)
        }
    }
}
