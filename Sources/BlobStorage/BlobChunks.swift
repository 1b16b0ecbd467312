package import NIOCore

/// A blob's bytes piece by piece, in order, with some pieces read ahead while the caller is busy: one from a disk, several over a network.
package struct BlobChunks: AsyncSequence, Sendable {
    package typealias Element = ByteBuffer

    /// Starts to read a piece and gives a promise of it.
    private let begin: @Sendable (Range<Int>) -> PendingWork<ByteBuffer>
    private let range: Range<Int>
    private let chunkSize: Int
    private let window: Int

    /// - Parameters:
    ///   - window: Pieces that are under way or wait at a time.
    ///   - begin: Starts to read a piece and gives a promise of it.
    package init(
        range: Range<Int>, chunkSize: Int, window: Int = 1,
        begin: @escaping @Sendable (Range<Int>) -> PendingWork<ByteBuffer>
    ) {
        self.range = range
        self.chunkSize = Swift.max(1, chunkSize)
        self.window = Swift.max(1, window)
        self.begin = begin
    }

    package func makeAsyncIterator() -> Iterator {
        Iterator(begin: begin, rest: range, chunkSize: chunkSize, window: window)
    }

    /// Reads on. Ends by throwing when the store does; cancellation ends it between pieces.
    package struct Iterator: AsyncIteratorProtocol {
        fileprivate let begin: @Sendable (Range<Int>) -> PendingWork<ByteBuffer>
        fileprivate var rest: Range<Int>
        fileprivate let chunkSize: Int
        fileprivate let window: Int
        private var ahead: [PendingWork<ByteBuffer>] = []

        fileprivate init(
            begin: @escaping @Sendable (Range<Int>) -> PendingWork<ByteBuffer>, rest: Range<Int>, chunkSize: Int,
            window: Int
        ) {
            self.begin = begin
            self.rest = rest
            self.chunkSize = chunkSize
            self.window = window
        }

        package mutating func next() async throws -> ByteBuffer? {
            fill()
            guard let current = ahead.first else { return nil }
            ahead.removeFirst()
            try Task.checkCancellation()
            let chunk = try await current.value()
            fill()
            return chunk
        }

        private mutating func fill() {
            while ahead.count < window, !rest.isEmpty {
                let end = rest.count > chunkSize ? rest.lowerBound + chunkSize : rest.upperBound
                let piece = rest.lowerBound..<end
                rest = end..<rest.upperBound
                ahead.append(begin(piece))
            }
        }
    }
}
