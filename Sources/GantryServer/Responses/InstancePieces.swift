import Archive
import BlobStorage
import DICOMCore
import NIOCore

/// The bytes of an instance as it is sent, in order. What comes next is read while the caller is busy with the last.
struct InstancePieces {
    /// What comes before everything else.
    private var head: ByteBuffer?
    /// One of these: what is stored, or what is made of it, without or with a look at the pixels.
    private var chunks: BlobChunks.AsyncIterator?
    private var converted: ConvertedFile?
    private var transcoded: TranscodedPieces?

    /// A range of the stored file behind new bytes.
    init(_ head: ByteBuffer? = nil, before range: Range<Int>, of instance: StoredInstance, in blobs: any BlobStore) {
        self.head = head
        chunks = blobs.chunks(instance.location, range, chunkSize: InstanceContent.chunkSize).makeAsyncIterator()
    }

    /// The instance in another transfer syntax.
    init(_ instance: StoredInstance, convertedTo target: TransferSyntax, from blobs: any BlobStore) {
        converted = ConvertedFile(instance, to: target, from: blobs)
    }

    /// The instance with its frames compressed otherwise.
    init(_ transcoded: TranscodedPieces) { self.transcoded = transcoded }

    /// The next piece; `nil` at the end.
    mutating func next() async throws -> ByteBuffer? {
        if transcoded != nil { return try await transcoded?.next() }
        if let head {
            self.head = nil
            return head
        }
        return chunks == nil ? try await converted?.next() : try await chunks?.next()
    }
}

/// A stored instance in another transfer syntax, made piece by piece.
private struct ConvertedFile {
    private var converter: Part10Converter
    private var chunks: BlobChunks.AsyncIterator
    private var isFinished = false

    init(_ instance: StoredInstance, to target: TransferSyntax, from blobs: any BlobStore) {
        converter = Part10Converter(
            from: .init(
                sopClassUID: instance.identity.sopClass.string, sopInstanceUID: instance.identity.instance.string,
                transferSyntaxUID: instance.transferSyntaxUID, dataSetOffset: 0),
            to: target)
        chunks = blobs.chunks(
            instance.location, instance.dataSetOffset..<instance.length, chunkSize: InstanceContent.chunkSize
        ).makeAsyncIterator()
    }

    /// The next piece; `nil` at the end.
    mutating func next() async throws -> ByteBuffer? {
        var output: [UInt8] = []
        while !isFinished {
            if let chunk = try await chunks.next() {
                try chunk.withUnsafeReadableBytes { bytes throws(DataSetReadError) in
                    try converter.receive(bytes, into: &output)
                }
            } else {
                isFinished = true
                try converter.finish(into: &output)
            }
            if !output.isEmpty { return ByteBuffer(bytes: output) }
        }
        return nil
    }
}
