import Archive
import BlobStorage
import DICOMCore
import DICOMPixels
import NIOCore

/// The stream that ranges of a stored instance count in: the file, or the inflated data set of a deflated one.
struct StoredStream: Sendable {
    let instance: StoredInstance
    let blobs: any BlobStore

    private static let chunkSize = 1 << 20

    private var isDeflated: Bool {
        instance.transferSyntaxUID == TransferSyntax.deflatedExplicitVRLittleEndian.uid
    }

    /// Whether a range of the stream is the same range of the blob.
    var isPlain: Bool { !isDeflated }

    /// These bytes of the stream, in one piece.
    func read(_ range: Range<Int>) async throws -> ByteBuffer {
        guard isDeflated else { return try await blobs.read(instance.location, range) }
        var result = ByteBuffer()
        result.reserveCapacity(min(range.count, Self.chunkSize))
        let inflater = Inflater(.raw, limits: InflateLimits(.standard))
        var position = 0
        var inflated: [UInt8] = []
        let stored = instance.dataSetOffset..<instance.length
        for try await chunk in blobs.chunks(instance.location, stored, chunkSize: Self.chunkSize) {
            inflated.removeAll(keepingCapacity: true)
            try chunk.withUnsafeReadableBytes { bytes in
                _ = try inflater.receive(bytes) { inflated.append(contentsOf: $0) }
            }
            let wanted = range.clamped(to: position..<position + inflated.count)
            if !wanted.isEmpty {
                result.writeBytes(inflated[wanted.lowerBound - position..<wanted.upperBound - position])
            }
            position += inflated.count
            if position >= range.upperBound { break }
        }
        return result
    }

    /// Reads the data set again, values that are not retained left out.
    func dataSet(retention: ValueRetention = .metadata) async throws -> DataSet {
        var rules = ReadingRules.tolerant
        // It was taken, so it can be had.
        rules.acceptsTruncatedPixelData = true
        var reader = Part10Reader(rules: rules, retention: retention)
        for try await chunk in blobs.chunks(instance.location, 0..<instance.length, chunkSize: Self.chunkSize) {
            try chunk.withUnsafeReadableBytes { bytes throws(DataSetReadError) in try reader.receive(bytes) }
        }
        return try reader.finish().dataSet
    }

    /// The value of an element, little endian.
    func value(of element: DataElement) async throws -> ByteBuffer? {
        switch element.value {
        case .bytes(let bytes): return ByteBuffer(bytes: bytes)
        case .bulk(.range(let range)):
            let bytes = try await read(range)
            let width = element.vr.numberWidth
            guard width > 1, TransferSyntax(uid: instance.transferSyntaxUID)?.isBigEndian == true else { return bytes }
            var swapped = Array(bytes.readableBytesView)
            swapped.withUnsafeMutableBytes { FrameRepacker.swapWords(in: $0, size: width) }
            return ByteBuffer(bytes: swapped)
        case .bulk(.uri), .items, .fragments: return nil
        }
    }
}
