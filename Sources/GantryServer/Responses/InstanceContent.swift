import Archive
import BlobStorage
import DICOMCore
import Hummingbird
import NIOCore

/// One instance as it is sent: a Part 10 file in the transfer syntax that was chosen (PS3.18 8.7.3).
struct InstanceContent: Sendable {
    enum Form: Sendable {
        /// The stored bytes as they are.
        case stored
        /// New file meta information before the stored data set, because what was received is no good Part 10 file.
        case rewrittenMeta(ByteBuffer)
        /// Produced while it is sent.
        case converted(TransferSyntax)
    }

    let instance: StoredInstance
    let form: Form
    /// The transfer syntax of what is sent.
    let transferSyntaxUID: String

    /// The instance in its stored transfer syntax.
    init(stored instance: StoredInstance) {
        self.instance = instance
        transferSyntaxUID = instance.transferSyntaxUID
        guard !instance.isFaithful else {
            form = .stored
            return
        }
        let meta = FileMetaInformation(
            mediaStorageSOPClassUID: instance.identity.sopClass.string,
            mediaStorageSOPInstanceUID: instance.identity.instance.string,
            transferSyntaxUID: instance.transferSyntaxUID)
        form = .rewrittenMeta(ByteBuffer(bytes: meta.encoded()))
    }

    /// The instance in another transfer syntax that can be produced without decoding pixels.
    init(_ instance: StoredInstance, convertedTo transferSyntax: TransferSyntax) {
        self.instance = instance
        transferSyntaxUID = transferSyntax.uid
        form = .converted(transferSyntax)
    }

    /// Bytes of the file; `nil` when only producing it tells.
    var length: Int? {
        switch form {
        case .stored: instance.length
        case .rewrittenMeta(let meta): meta.readableBytes + instance.length - instance.dataSetOffset
        case .converted: nil
        }
    }

    /// What of the stored blob goes into the file unchanged; `nil` when it is produced.
    private var storedRange: Range<Int>? {
        switch form {
        case .stored: 0..<instance.length
        case .rewrittenMeta: instance.dataSetOffset..<instance.length
        case .converted: nil
        }
    }

    /// The whole file in memory. For instances that are known to be small.
    func bytes(from blobs: any BlobStore) async throws -> ByteBuffer {
        guard let storedRange else {
            var all = ByteBuffer()
            var pieces = pieces(from: blobs)
            while let piece = try await pieces.next() { all.writeImmutableBuffer(piece) }
            return all
        }
        let data = try await blobs.read(instance.location, storedRange)
        guard case .rewrittenMeta(var meta) = form else { return data }
        meta.writeImmutableBuffer(data)
        return meta
    }

    /// The file piece by piece.
    func pieces(from blobs: any BlobStore) -> InstancePieces {
        switch form {
        case .stored: InstancePieces(before: 0..<instance.length, of: instance, in: blobs)
        case .rewrittenMeta(let meta):
            InstancePieces(meta, before: instance.dataSetOffset..<instance.length, of: instance, in: blobs)
        case .converted(let target): InstancePieces(instance, convertedTo: target, from: blobs)
        }
    }

    /// Sends the file piece by piece; the peer's pace holds back the reading.
    @concurrent
    func write(from blobs: any BlobStore, to writer: inout any ResponseBodyWriter) async throws {
        var pieces = pieces(from: blobs)
        while let piece = try await pieces.next() { try await writer.write(piece) }
    }

    static let chunkSize = 1 << 20
}
