import Archive
import BlobStorage
import DICOMCore
import DICOMPixels
import DICOMWeb
import HTTPTypes
import Hummingbird
import NIOCore
import PixelWorkers

/// `…/thumbnail` of studies, series, instances and frames: one small image, without any text (PS3.18 10.4.1.1.4).
///
/// Of a study or series it is the middle image of the first series that has images, of a multi-frame image the middle
/// frame. What is no image has an icon that tells its kind.
struct ThumbnailRoute: Sendable {
    let archive: ReadableArchive
    let pixels: PixelAccess
    let isAcceptStrict: Bool
    private let cache = ThumbnailCache()

    /// Pixels on the longer side when the request does not say.
    private static let side = 256

    init(archive: ReadableArchive, pixels: PixelAccess, isAcceptStrict: Bool) {
        self.archive = archive
        self.pixels = pixels
        self.isAcceptStrict = isAcceptStrict
    }

    /// - Parameter frames: the middle one of them is shown.
    func answer(
        _ entity: EntityPath, frames: FrameList? = nil, _ request: Request, at base: String
    ) async throws -> Response {
        // 1. What is asked for.
        let parameters = try RenderingParameters(.thumbnail, query: request.uri.query)
        let wanted = try RenderedRequest(parameters, request, requiresAccept: isAcceptStrict)
        guard let type = try wanted.offers(for: [.singleFrameImage]).first(where: { !$0.isMultipart })?.mediaType else {
            throw Problem(.notAcceptable, "A thumbnail is one image, not several parts.")
        }
        let (width, height) = parameters.viewport.map { ($0.width, $0.height) } ?? (Self.side, Self.side)

        // 2. What is shown.
        let found = try await archive.instances(
            study: entity.study, series: entity.series, instance: entity.instance
        ).required(entity)
        let subject = try subject(of: found.instances, frames: frames)
        let key: ThumbnailCache.Key
        switch subject {
        case .frame(let frame):
            key = .init(
                source: .frame(version: frame.instance.version, number: frame.number), width: width, height: height,
                mediaType: type)
        case .icon(let letters):
            let side = min(width, height, Self.side)
            key = .init(source: .icon(letters), width: side, height: side, mediaType: type)
        }
        // Of a study or series another image may be shown, even one that is older: no time tells when that was.
        let version =
            entity.instance == nil ? ResourceVersion(number: subject.version, modifiedAt: nil) : found.version
        let conditional = Conditional(version: version, representation: "t" + "\(key)".fingerprint)
        // Images come to a series and a study; an instance stays what it is.
        let cacheControl = entity.instance == nil ? "private, no-cache" : RenderedRoute.cacheControl
        if let notModified = conditional.notModified(request, cacheControl: cacheControl) { return notModified }

        // 3. The image.
        let bytes = try await cache.image(key) { try await image(of: subject, key) }
        var response = Response(
            status: .ok, headers: [.contentType: type, .acceptRanges: "none"], body: ResponseBody(byteBuffer: bytes))
        conditional.apply(to: &response, cacheControl: cacheControl)
        for warning in parameters.warnings { response.addWarning(warning, base) }
        return response
    }

    // MARK: - What is shown

    private enum Subject {
        case frame(StoredFrame)
        case icon(String)

        var version: Int64 {
            switch self {
            case .frame(let frame): frame.instance.version
            case .icon: 0
            }
        }
    }

    private func subject(of instances: [StoredInstance], frames: FrameList?) throws -> Subject {
        let images = instances.filter(\.isImage)
        let series = images.filter { $0.identity.series == images[0].identity.series }
        guard !series.isEmpty, let layout = series[(series.count - 1) / 2].frames, layout.frameCount > 0 else {
            guard frames == nil else { throw Problem(.noSuchResource, "The instance has no frames to show.") }
            return .icon(instances.first?.letters ?? "")
        }
        let instance = series[(series.count - 1) / 2]
        var number = (layout.frameCount + 1) / 2
        if let frames {
            let present = frames.numbers.filter { $0 <= layout.frameCount }
            guard !present.isEmpty else {
                throw Problem(.noSuchResource, "The instance has \(layout.frameCount) frames.")
            }
            number = present[(present.count - 1) / 2]
        }
        return .frame(StoredFrame(instance: instance, layout: layout, number: number))
    }

    private func image(of subject: Subject, _ key: ThumbnailCache.Key) async throws -> ByteBuffer {
        switch subject {
        case .frame(let frame):
            var rendering = ImageRendering()
            rendering.request.viewport = Viewport(width: key.width, height: key.height, enlarges: false)
            // Overlays may be text.
            rendering.request.drawsOverlays = false
            rendering.quality = 80
            return try await rendering.image(of: frame, as: key.mediaType, by: pixels)
        case .icon(let letters):
            let image = KindIcon.image(letters, side: key.width)
            switch key.mediaType {
            case "image/png": return ByteBuffer(bytes: try ImageFileEncoder.png(image))
            case "image/gif": return ByteBuffer(bytes: try ImageFileEncoder.gif(image))
            default: return ByteBuffer(bytes: try ImageFileEncoder.jpeg(image))
            }
        }
    }
}

extension StoredInstance {
    /// Whether there are frames here that can be decoded one by one.
    fileprivate var isImage: Bool {
        guard !frameLayout.isEmpty, let syntax = TransferSyntax(uid: transferSyntaxUID), !syntax.isVideo else {
            return false
        }
        return !syntax.isEncapsulated || CodecTable.standard.canDecode(syntax)
    }

    /// The letters that tell what it is.
    fileprivate var letters: String {
        if TransferSyntax(uid: transferSyntaxUID)?.isVideo == true { return "VID" }
        let known: [(String, String)] = [
            ("104.1", "PDF"), ("104.2", "CDA"), ("104.", "3D"), ("88.59", "KO"), ("88.", "SR"), ("11.", "PR"),
            ("9.", "WAVE"), ("481.", "RT"), ("66.1", "REG"), ("66.3", "REG"),
        ]
        let kind = identity.sopClass.string.dropFirst("1.2.840.10008.5.1.4.1.1.".count)
        guard identity.sopClass.string.hasPrefix("1.2.840.10008.5.1.4.1.1.") else { return "DCM" }
        return known.first { prefix, _ in prefix.hasSuffix(".") ? kind.hasPrefix(prefix) : kind == prefix }?.1 ?? "DCM"
    }
}
