import Archive
import BlobStorage
import DICOMCore
import DICOMModels
import DICOMPixels
import DICOMWeb
import Hummingbird
import NIOCore

/// One part of an answer with something to look at.
struct RenderedPart: Sendable {
    enum Content: Sendable {
        case frame(StoredFrame)
        case animation([StoredFrame])
        case report
        case document(BulkValue)
        case video([Range<Int>])
    }

    let viewed: ViewedInstance
    let content: Content
    let mediaType: String
    /// What says how the image's grays are to be shown.
    var state: PresentationState?

    /// What the part says of itself: text is always in UTF-8.
    var contentType: String { content.isReport ? "\(mediaType); charset=utf-8" : mediaType }

    /// The resource that has this part alone.
    var path: String {
        let identity = viewed.instance.identity
        let instance = "/studies/\(identity.study)/series/\(identity.series)/instances/\(identity.instance)"
        guard case .frame(let frame) = content, frame.layout.frameCount > 1 else { return "\(instance)/rendered" }
        return "\(instance)/frames/\(frame.number)/rendered"
    }

    /// What is sent: bytes that were made, or stored ones as they lie.
    enum Ready: Sendable {
        case bytes(ByteBuffer)
        case stored(RangedBlob)

        var count: Int {
            switch self {
            case .bytes(let bytes): bytes.readableBytes
            case .stored(let blob): blob.count
            }
        }

        @concurrent
        func write(to writer: inout any ResponseBodyWriter) async throws {
            switch self {
            case .bytes(let bytes): try await writer.write(bytes)
            case .stored(let blob): try await blob.write(to: &writer)
            }
        }
    }

    func make(_ rendering: ImageRendering, by access: PixelAccess) async throws -> Ready {
        switch content {
        case .frame(let frame):
            let (instance, number) = (frame.instance.identity.instance, frame.number)
            let rendering = state?.applied(to: rendering, of: instance, frame: number) ?? rendering
            return .bytes(try await rendering.image(of: frame, as: mediaType, by: access))
        case .animation(let frames):
            return .bytes(try await rendering.animation(of: frames, presentedBy: state, by: access))
        case .report: return .bytes(try await reportText(from: access.blobs))
        case .document(let value):
            if let blob = value.blob { return .stored(blob) }
            guard let bytes = try await value.bytes() else {
                throw Problem(.noSuchResource, "The document has no bytes.")
            }
            return .bytes(bytes)
        case .video(let ranges):
            return .stored(RangedBlob(location: viewed.instance.location, ranges: ranges, blobs: access.blobs))
        }
    }

    // MARK: - Text

    /// Longer reports are not read into memory.
    private static let reportLimit = 32 << 20
    private static let reportRetention = ValueRetention(
        binaryBytes: 0, textBytes: .max, numbers: 4096, keepsPixelData: false)

    @concurrent
    private func reportText(from blobs: any BlobStore) async throws -> ByteBuffer {
        guard viewed.instance.length <= Self.reportLimit else {
            throw Problem(.tooLarge, "The report has more than \(Self.reportLimit) bytes.")
        }
        let stream = StoredStream(instance: viewed.instance, blobs: blobs)
        guard let document = SRDocument(try await stream.dataSet(retention: Self.reportRetention)) else {
            throw Problem(.noSuchResource, "The report has no content tree.")
        }
        return switch mediaType {
        case "text/plain": ByteBuffer(string: document.plainText())
        case "text/xml": ByteBuffer(string: document.xhtml())
        default: ByteBuffer(string: document.html())
        }
    }
}

extension RenderedPart.Content {
    fileprivate var isReport: Bool { if case .report = self { true } else { false } }
}
