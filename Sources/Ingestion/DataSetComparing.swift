import NIOCore

/// Compares what two files hold behind their file meta information (D-11).
enum DataSetComparing {
    /// Reads a piece of one of the files.
    typealias Read = @Sendable (Range<Int>) async throws -> ByteBuffer

    /// Bytes read at a time from each of the two.
    private static let pieceLength = 256 << 10

    /// Whether both ranges hold the same bytes. Reads no further than the first piece that differs.
    static func areEqual(
        _ left: Range<Int>, by readLeft: Read, _ right: Range<Int>, by readRight: Read
    ) async throws -> Bool {
        guard left.count == right.count else { return false }
        var offset = 0
        while offset < left.count {
            let count = min(pieceLength, left.count - offset)
            let leftStart = left.lowerBound + offset
            let rightStart = right.lowerBound + offset
            async let other = readRight(rightStart..<rightStart + count)
            let own = try await readLeft(leftStart..<leftStart + count)
            guard try await own == other else { return false }
            offset += count
        }
        return true
    }
}
