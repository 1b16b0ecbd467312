import Archive
import BlobStorage
import DICOMCore
import DICOMPixels
import Hummingbird
import NIOCore

/// One instance as it is sent: a Part 10 file in the transfer syntax that was chosen (PS3.18 8.7.3).
struct InstanceContent: Sendable {
    enum Form: Sendable {
        /// The stored bytes as they are.
        case stored
        /// New file meta information before the stored data set, because what was received is no good Part 10 file.
        case rewrittenMeta(ByteBuffer)
        /// Produced while it is sent, without a look at the pixels.
        case converted(TransferSyntax)
        /// Produced while it is sent, frame by frame.
        case transcoded(TranscodedFile)
        /// The same, with the first frame converted.
        case begun(TranscodedPieces)
    }

    let instance: StoredInstance
    private(set) var form: Form
    /// The transfer syntax of what is sent.
    let transferSyntaxUID: String
    /// Whether the client takes the stored transfer syntax where another cannot be had.
    var mayBeStored = false

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

    /// The instance in another transfer syntax.
    init(_ instance: StoredInstance, convertedTo transferSyntax: TransferSyntax, by access: PixelAccess) {
        self.instance = instance
        transferSyntaxUID = transferSyntax.uid
        form =
            Part10Converter.canConvert(TransferSyntax(uid: instance.transferSyntaxUID), to: transferSyntax)
            ? .converted(transferSyntax)
            : .transcoded(TranscodedFile(instance: instance, target: transferSyntax, access: access))
    }

    /// The same with its first frame converted, if there are any to convert. Where they cannot be, it is the stored
    /// instance for who named no transfer syntax (dicomweb.md 2.6), and an error for who did.
    func begun() async throws -> InstanceContent {
        guard case .transcoded(let file) = form else { return self }
        do {
            var content = self
            content.form = .begun(try await file.pieces())
            return content
        } catch  where mayBeStored && !(error is CancellationError) {
            return InstanceContent(stored: instance)
        }
    }

    private var isTranscoded: Bool {
        switch form {
        case .transcoded, .begun: true
        case .stored, .rewrittenMeta, .converted: false
        }
    }

    /// Whether the whole file may be made before it is sent: it is small, or has one frame only.
    var fitsInMemory: Bool {
        if let length { return length <= Self.memoryLimit }
        return isTranscoded && instance.frames?.frameCount == 1
    }

    private static let memoryLimit = 2 << 20

    /// Bytes of the file; `nil` when only producing it tells.
    var length: Int? {
        switch form {
        case .stored: instance.length
        case .rewrittenMeta(let meta): meta.readableBytes + instance.length - instance.dataSetOffset
        case .converted, .transcoded, .begun: nil
        }
    }

    /// What of the stored blob goes into the file unchanged; `nil` when it is produced.
    private var storedRange: Range<Int>? {
        switch form {
        case .stored: 0..<instance.length
        case .rewrittenMeta: instance.dataSetOffset..<instance.length
        case .converted, .transcoded, .begun: nil
        }
    }

    /// The whole file in memory. For instances that are known to be small.
    func bytes(from blobs: any BlobStore) async throws -> ByteBuffer {
        guard let storedRange else {
            var all = ByteBuffer()
            var pieces = try await pieces(from: blobs)
            while let piece = try await pieces.next() { all.writeImmutableBuffer(piece) }
            return all
        }
        let data = try await blobs.read(instance.location, storedRange)
        guard case .rewrittenMeta(var meta) = form else { return data }
        meta.writeImmutableBuffer(data)
        return meta
    }

    /// The file piece by piece.
    func pieces(from blobs: any BlobStore) async throws -> InstancePieces {
        switch form {
        case .stored: InstancePieces(before: 0..<instance.length, of: instance, in: blobs)
        case .rewrittenMeta(let meta):
            InstancePieces(meta, before: instance.dataSetOffset..<instance.length, of: instance, in: blobs)
        case .converted(let target): InstancePieces(instance, convertedTo: target, from: blobs)
        case .transcoded(let file): InstancePieces(try await file.pieces())
        case .begun(let pieces): InstancePieces(pieces)
        }
    }

    /// Sends the file piece by piece; the peer's pace holds back the reading.
    @concurrent
    func write(from blobs: any BlobStore, to writer: inout any ResponseBodyWriter) async throws {
        var pieces = try await pieces(from: blobs)
        while let piece = try await pieces.next() { try await writer.write(piece) }
    }

    static let chunkSize = 1 << 20
}
