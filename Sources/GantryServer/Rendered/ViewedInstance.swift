import Archive
import BlobStorage
import DICOMCore
import DICOMPixels
import DICOMWeb

/// A stored instance, and what it is to somebody who looks at it (PS3.18 8.7.2).
struct ViewedInstance: Sendable {
    enum Kind: Sendable {
        case image(FrameLayout)
        /// Frames in a video codec, in this media type.
        case video(FrameLayout, mediaType: String)
        case report
        case document(BulkValue, mediaType: String)
        /// A Grayscale Softcopy Presentation State: the images that it refers to are shown for it.
        case presentationState
        /// Nothing to look at.
        case other
    }

    let instance: StoredInstance
    let kind: Kind

    /// Reads the data set only of what may be an encapsulated document.
    init(_ instance: StoredInstance, in blobs: any BlobStore) async throws {
        self.instance = instance
        let syntax = TransferSyntax(uid: instance.transferSyntaxUID)
        if let layout = instance.frames, layout.frameCount > 0 {
            kind = syntax?.videoMediaType.map { .video(layout, mediaType: $0) } ?? .image(layout)
        } else if instance.identity.sopClass.isStructuredReport {
            kind = .report
        } else if instance.identity.sopClass.string == PresentationState.sopClass {
            kind = .presentationState
        } else if instance.identity.sopClass.isEncapsulatedDocument {
            let stream = StoredStream(instance: instance, blobs: blobs)
            let path = BulkDataPath(tag: .encapsulatedDocument)
            guard let value = try await BulkValue(path, in: stream.dataSet(), of: stream) else {
                kind = .other
                return
            }
            let type = value.mediaType.flatMap { MediaType($0) }?.essence ?? "application/octet-stream"
            kind = .document(value, mediaType: type)
        } else {
            kind = .other
        }
    }

    /// The category that decides about media types; of an image, when `frames` of its frames are looked at.
    func category(frames: Int? = nil) -> RenderedMediaTypes.Category {
        switch kind {
        case .image(let layout): (frames ?? layout.frameCount) == 1 ? .singleFrameImage : .multiFrameImage
        case .video(_, let mediaType): .video(mediaType)
        case .report: .structuredReport
        case .document(_, let mediaType): .document(mediaType)
        case .presentationState, .other: .other
        }
    }

    /// The parts that it is in a multipart answer, in the best of these types that it can be; none when it can be in
    /// none.
    ///
    /// - Parameter numbers: frames that are shown; all of them when absent.
    func parts(_ types: [String], frames numbers: [Int]? = nil) -> [RenderedPart] {
        let possible = category().partTypes
        guard let type = types.first(where: { possible.contains($0) }) else { return [] }
        guard case .image(let layout) = kind else { return whole(as: type).map { [$0] } ?? [] }
        return frames(layout, numbers).map { RenderedPart(viewed: self, content: .frame($0), mediaType: type) }
    }

    /// The one part that it is; `nil` when there is nothing to look at.
    func whole(as mediaType: String, frames numbers: [Int]? = nil) -> RenderedPart? {
        let content: RenderedPart.Content
        switch kind {
        case .image(let layout):
            let frames = frames(layout, numbers)
            content = frames.count == 1 ? .frame(frames[0]) : .animation(frames)
        case .video(let layout, _): content = .video(layout.byteRanges(ofFrame: 1) ?? [])
        case .report: content = .report
        case .document(let value, _): content = .document(value)
        case .presentationState, .other: return nil
        }
        return RenderedPart(viewed: self, content: content, mediaType: mediaType)
    }

    private func frames(_ layout: FrameLayout, _ numbers: [Int]?) -> [StoredFrame] {
        (numbers ?? Array(1...max(1, layout.frameCount))).filter { $0 >= 1 && $0 <= layout.frameCount }.map {
            StoredFrame(instance: instance, layout: layout, number: $0)
        }
    }

    /// Whether its frames can be decoded, if it has any.
    var isDecodable: Bool {
        guard case .image = kind, let syntax = TransferSyntax(uid: instance.transferSyntaxUID) else { return true }
        return !syntax.isEncapsulated || CodecTable.standard.canDecode(syntax)
    }
}

extension TransferSyntax {
    /// The media type of the stream that frames in a video codec are (PS3.5 A.4.5 to A.4.8, PS3.18 Table 8.7.3-5).
    var videoMediaType: String? {
        guard isVideo else { return nil }
        let codec = uid.dropFirst("1.2.840.10008.1.2.4.".count)
        if codec.hasPrefix("100") || codec.hasPrefix("101") { return "video/mpeg" }
        return codec.hasPrefix("107") || codec.hasPrefix("108") ? "video/H265" : "video/mp4"
    }
}

extension UID {
    private static let storageClasses = "1.2.840.10008.5.1.4.1.1."

    /// Whether this SOP Class has a content tree (PS3.4 B.5: Structured Reports and Key Object Selections).
    var isStructuredReport: Bool { string.hasPrefix(Self.storageClasses + "88.") }

    /// Whether this SOP Class is an Encapsulated Document IOD (PS3.3 A.45, A.85).
    var isEncapsulatedDocument: Bool { string.hasPrefix(Self.storageClasses + "104.") }
}
