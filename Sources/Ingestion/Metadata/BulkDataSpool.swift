import BlobStorage
import NIOCore

/// Bytes of one bulk data part until the data set that refers to them is put together: in memory while they are few,
/// else in the blob store.
struct BulkDataSpool {
    /// The most bytes of one part that stay in memory.
    static let memoryLimit = 1 << 20
    /// The most bytes of a part that are looked at to recognise a codestream.
    static let headLength = 256 << 10

    private let blobs: any BlobStore
    private let memoryLimit: Int
    private var memory = ByteBuffer()
    private var head: [UInt8] = []
    private var writer: (any BlobWriter)?
    private var length = 0

    init(blobs: any BlobStore, memoryLimit: Int) {
        self.blobs = blobs
        self.memoryLimit = min(memoryLimit, Self.memoryLimit)
    }

    mutating func write(_ bytes: ByteBuffer) async throws {
        length += bytes.readableBytes
        if writer == nil, length <= memoryLimit {
            memory.writeImmutableBuffer(bytes)
            return
        }
        if writer == nil {
            let writer = try await blobs.stage(expectedLength: nil)
            self.writer = writer
            head = Array(memory.readableBytesView.prefix(Self.headLength))
            if memory.readableBytes > 0 { try await writer.write(memory) }
            memory = ByteBuffer()
        }
        if head.count < Self.headLength {
            head.append(contentsOf: bytes.readableBytesView.prefix(Self.headLength - head.count))
        }
        try await writer?.write(bytes)
    }

    mutating func finish() async throws -> SpooledBytes {
        guard let writer else {
            return SpooledBytes(
                length: length, head: Array(memory.readableBytesView.prefix(Self.headLength)), place: .memory(memory))
        }
        self.writer = nil
        return SpooledBytes(length: length, head: head, place: .blob(try await writer.finish()))
    }

    mutating func abandon() async {
        guard let writer else { return }
        self.writer = nil
        await writer.abort()
    }
}

/// The bytes of a bulk data part that was taken in whole.
struct SpooledBytes: Sendable {
    enum Place: Sendable {
        case memory(ByteBuffer)
        case blob(StagedBlob)
    }

    let length: Int
    /// The first bytes.
    let head: [UInt8]
    let place: Place

    /// Bytes handed over at a time.
    private static let pieceLength = 256 << 10

    /// Hands the bytes of a range over, piece by piece.
    func forEachPiece(
        of range: Range<Int>, from blobs: any BlobStore, _ body: (ByteBuffer) async -> Void
    ) async throws {
        switch place {
        case .memory(let buffer):
            let slice = buffer.getSlice(at: buffer.readerIndex + range.lowerBound, length: range.count)
            if let slice { await body(slice) }
        case .blob(let blob):
            var start = range.lowerBound
            while start < range.upperBound {
                let end = min(start + Self.pieceLength, range.upperBound)
                await body(try await blobs.read(blob, start..<end))
                start = end
            }
        }
    }
}
