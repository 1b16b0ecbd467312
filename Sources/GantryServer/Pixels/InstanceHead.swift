import Archive
import BlobStorage
import DICOMCore
import DICOMPixels
import NIOCore
import Synchronization

/// The data set of a stored instance as far as it stands in front of the pixel data, its values in memory.
struct InstanceHead: Sendable {
    let dataSet: DataSet
    let image: ImagePixelDescription?

    /// Longer ones are not read into memory for the sake of a frame.
    static let lengthLimit = 64 << 20

    private static let retention = ValueRetention(
        binaryBytes: .max, textBytes: .max, numbers: .max, keepsPixelData: false)

    /// Where the pixel data starts in the file; `nil` when the instance has no frames.
    static func length(of instance: StoredInstance) -> Int? {
        switch instance.frames?.storage {
        case .native(let native): native.offset
        case .encapsulated(let frames): frames.lazy.compactMap { $0.first?.lowerBound }.min()
        case nil: nil
        }
    }

    /// The file's bytes in front of its pixel data. Deflated ones come inflated, as Explicit VR Little Endian.
    static func bytes(of instance: StoredInstance, in blobs: any BlobStore) async throws -> ByteBuffer {
        guard let length = length(of: instance) else { throw Problem(.noSuchResource, "The instance has no frames.") }
        guard length <= lengthLimit else {
            throw Problem(.notAcceptable, "What stands in front of the pixel data is too long to work on the pixels.")
        }
        let stream = StoredStream(instance: instance, blobs: blobs)
        let bytes = try await stream.read(0..<length)
        guard !stream.isPlain else { return bytes }
        let meta = FileMetaInformation(
            mediaStorageSOPClassUID: instance.identity.sopClass.string,
            mediaStorageSOPInstanceUID: instance.identity.instance.string,
            transferSyntaxUID: TransferSyntax.explicitVRLittleEndian.uid)
        var file = ByteBuffer(bytes: meta.encoded())
        file.writeImmutableBuffer(bytes)
        return file
    }

    init(_ instance: StoredInstance, in blobs: any BlobStore) async throws {
        let bytes = try await Self.bytes(of: instance, in: blobs)
        var reader = Part10Reader(retention: Self.retention)
        do {
            try bytes.withUnsafeReadableBytes { bytes throws(DataSetReadError) in try reader.receive(bytes) }
            dataSet = try reader.finishAtPixelData()
        } catch {
            throw Problem(.damagedPixels, "The data set cannot be read up to its pixel data.")
        }
        image = ImagePixelDescription(dataSet)
    }
}

/// The heads that were read lately: the frames of a multi-frame image are asked for one by one.
final class InstanceHeads: Sendable {
    private struct Entry {
        var head: InstanceHead
        var used: UInt64
    }

    private static let limit = 32
    /// Longer heads are not kept.
    private static let keptLength = 2 << 20

    private let entries = Mutex<(heads: [Int64: Entry], clock: UInt64)>(([:], 0))

    func head(of instance: StoredInstance, in blobs: any BlobStore) async throws -> InstanceHead {
        let known: InstanceHead? = entries.withLock { entries in
            entries.clock += 1
            entries.heads[instance.version]?.used = entries.clock
            return entries.heads[instance.version]?.head
        }
        if let known { return known }
        let head = try await InstanceHead(instance, in: blobs)
        guard InstanceHead.length(of: instance).map({ $0 <= Self.keptLength }) == true else { return head }
        entries.withLock { entries in
            if entries.heads.count >= Self.limit,
                let oldest = entries.heads.min(by: { $0.value.used < $1.value.used })?.key
            {
                entries.heads[oldest] = nil
            }
            entries.heads[instance.version] = Entry(head: head, used: entries.clock)
        }
        return head
    }
}
