import Archive
import BlobStorage
import DICOMCore
import DICOMPixels
import DICOMWeb
import HTTPTypes
import Hummingbird
import NIOCore
import PixelWorkers

/// `…/rendered` of studies, series, instances and frames: images, text and documents for who has no DICOM
/// (PS3.18 10.4.1.1.3).
struct RenderedRoute: Sendable {
    let archive: Archive
    let pixels: PixelAccess
    let isAcceptStrict: Bool

    static let cacheControl = "private, max-age=86400"
    /// What a browser may do with text and documents of a data set: show them, and nothing else.
    static let contentSecurityPolicy = "default-src 'none'; style-src 'unsafe-inline'; sandbox"

    // MARK: - Resources

    func answer(_ entity: EntityPath, _ request: Request, at base: String) async throws -> Response {
        let wanted = try Wanted(request, requiresAccept: isAcceptStrict)
        let found = try await archive.instances(
            study: entity.study, series: entity.series, instance: entity.instance
        ).required(entity)
        var viewed: [ViewedInstance] = []
        for instance in found.instances { viewed.append(try await ViewedInstance(instance, in: archive.blobs)) }
        let isWhole = entity.instance != nil
        if !isWhole { viewed = viewed.filter(\.isDecodable) }
        let offer = try wanted.offers(for: viewed.map { $0.category() })
        let parts: [RenderedPart]
        var shown = viewed.count
        if offer[0].isMultipart {
            let types = offer.filter(\.isMultipart).map(\.mediaType)
            let chosen = viewed.map { viewed in self.parts(of: viewed, types) }
            shown = chosen.count { !$0.isEmpty }
            parts = chosen.flatMap { $0 }
        } else {
            parts = viewed[0].whole(as: offer[0].mediaType).map { [$0] } ?? []
        }
        var response = try await respond(
            parts, wanted, isMultipart: offer[0].isMultipart, version: found.version, request, at: base,
            location: "\(base)\(entity)/rendered")
        if shown < found.instances.count, response.status == .ok {
            response.status = .partialContent
            response.addWarning(
                "\(found.instances.count - shown) instances cannot be rendered to an acceptable type", base)
        }
        return response
    }

    func answer(
        _ frames: FrameList, of entity: EntityPath, _ request: Request, at base: String
    ) async throws -> Response {
        let wanted = try Wanted(request, requiresAccept: isAcceptStrict)
        let found = try await archive.instances(
            study: entity.study, series: entity.series, instance: entity.instance
        ).required(entity)
        guard let instance = found.instances.first else { throw Problem(.noSuchResource, "There is no such instance.") }
        let viewed = try await ViewedInstance(instance, in: archive.blobs)
        let layout: FrameLayout
        switch viewed.kind {
        case .image(let known): layout = known
        case .video: throw Problem(.notAcceptable, "A video stream cannot be cut into frames; ask for all of it.")
        case .report, .document, .other:
            throw Problem(.noSuchResource, "The instance has no frames: no pixel data, or no usable description.")
        }
        let stored = frames.numbers.filter { $0 <= layout.frameCount }.map {
            StoredFrame(instance: instance, layout: layout, number: $0)
        }
        guard !stored.isEmpty else {
            throw Problem(.noSuchResource, "The instance has \(layout.frameCount) frames.")
        }
        let offer = try wanted.offers(for: [viewed.category(frames: frames.numbers.count)])[0]
        let isAnimation = !offer.isMultipart && frames.numbers.count > 1
        let contents: [RenderedPart.Content] = isAnimation ? [.animation(stored)] : stored.map { .frame($0) }
        var response = try await respond(
            contents.map { RenderedPart(viewed: viewed, content: $0, mediaType: offer.mediaType) }, wanted,
            isMultipart: offer.isMultipart, version: found.version, request, at: base,
            location: "\(base)\(entity)/frames/\(frames.numbers.map(String.init).joined(separator: ","))/rendered")
        if stored.count < frames.numbers.count, response.status == .ok {
            response.status = .partialContent
            response.addWarning("The instance has \(layout.frameCount) frames", base)
        }
        return response
    }

    /// The parts that an instance is in a multipart answer, in the best of these types that it can be; none when it
    /// can be in none.
    private func parts(of viewed: ViewedInstance, _ types: [String]) -> [RenderedPart] {
        let possible = viewed.category().partTypes
        guard let type = types.first(where: { possible.contains($0) }) else { return [] }
        guard case .image(let layout) = viewed.kind else { return viewed.whole(as: type).map { [$0] } ?? [] }
        return (0..<layout.frameCount).map { index in
            let frame = StoredFrame(instance: viewed.instance, layout: layout, number: index + 1)
            return RenderedPart(viewed: viewed, content: .frame(frame), mediaType: type)
        }
    }

    // MARK: - Answers

    private func respond(
        _ parts: [RenderedPart], _ wanted: Wanted, isMultipart: Bool, version: Int64, _ request: Request,
        at base: String, location: String
    ) async throws -> Response {
        guard let first = parts.first else { throw Problem(.noSuchResource, "There is nothing to render.") }
        for part in parts {
            switch part.content {
            case .frame, .animation: try wanted.parameters.check(mediaType: part.mediaType)
            case .report, .document, .video: continue
            }
        }
        let rendering = try ImageRendering(wanted.parameters)
        let types = Set(parts.map(\.mediaType)).sorted().joined(separator: ",")
        let conditional = Conditional(
            version: version,
            representation: "r" + (isMultipart ? "m" : "s") + "\(location)\(types)".fingerprint + rendering.fingerprint)
        if let notModified = conditional.notModified(request, cacheControl: Self.cacheControl) { return notModified }
        var response =
            isMultipart
            ? try await multipart(parts, rendering, at: base)
            : try await single(first, rendering, request, location: location)
        conditional.apply(to: &response, cacheControl: Self.cacheControl)
        for warning in wanted.parameters.warnings { response.addWarning(warning, base) }
        return response
    }

    private func single(
        _ part: RenderedPart, _ rendering: ImageRendering, _ request: Request, location: String
    ) async throws -> Response {
        var headers: HTTPFields = [.contentType: part.contentType, .contentLocation: location]
        switch part.content {
        case .frame, .animation, .video: break
        case .report: headers[.contentSecurityPolicy] = Self.contentSecurityPolicy
        case .document:
            headers[.contentSecurityPolicy] = Self.contentSecurityPolicy
            headers[.contentDisposition] = "attachment"
        }
        switch try await part.make(rendering, by: pixels) {
        case .bytes(let bytes):
            headers[.acceptRanges] = "none"
            return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: bytes))
        case .stored(let blob): return try await blob.response(request, headers: headers)
        }
    }

    private func multipart(
        _ rendered: [RenderedPart], _ rendering: ImageRendering, at base: String
    ) async throws -> Response {
        var generator = SystemRandomNumberGenerator()
        let writer = MultipartRelatedWriter(partType: rendered[0].mediaType, using: &generator)
        let pixels = pixels
        let few = pixels.workers.parallelism
        let make: @Sendable (Int) async throws -> RenderedPart.Ready = { index in
            try await rendered[index].make(rendering, by: pixels)
        }
        // What cannot be rendered is told with a status: later parts can only cut the answer off.
        let firstIndices = (0..<0).next(few, below: rendered.count)
        let first = try await concurrentMap(firstIndices, make)
        let body = ResponseBody { output in
            var parts = writer
            var (indices, ready) = (firstIndices, first)
            while !ready.isEmpty {
                let following = indices.next(few, below: rendered.count)
                async let next = concurrentMap(following, make)
                for (index, content) in zip(indices, ready) {
                    let part = rendered[index]
                    let head = parts.partBegins(
                        contentType: part.contentType, location: "\(base)\(part.path)", length: content.count)
                    try await output.write(ByteBuffer(bytes: head))
                    try await content.write(to: &output)
                }
                ready = try await next
                indices = following
            }
            try await output.write(ByteBuffer(bytes: parts.end()))
            try await output.finish(nil)
        }
        return Response(
            status: .ok, headers: [.contentType: writer.contentType, .acceptRanges: "none"], body: body)
    }
}

/// What a request for a rendered resource says: how, and in which types.
private struct Wanted {
    let parameters: RenderingParameters
    private let accept: AcceptHeader

    init(_ request: Request, requiresAccept: Bool) throws {
        parameters = try RenderingParameters(query: request.uri.query)
        accept = AcceptHeader(request.headers[values: .accept])
        guard !accept.isAbsent || !requiresAccept else {
            throw Problem(.notAcceptable, "The request has no Accept header.")
        }
    }

    /// The acceptable ways to answer, best first; never empty.
    func offers(for categories: [RenderedMediaTypes.Category]) throws -> [RenderedMediaTypes.Offer] {
        let types = RenderedMediaTypes(categories)
        guard !types.offers.isEmpty || !takesAnything else {
            throw Problem(.noSuchResource, "There is nothing to render.")
        }
        return try types.choices(
            accept: accept, query: parameters.accept.isEmpty ? nil : AcceptHeader(parameters.accept))
    }

    private var takesAnything: Bool {
        accept.ranges.contains { $0.mediaType.type == "*" && $0.quality > 0 }
    }
}

extension ViewedInstance {
    /// The one part that the instance is; `nil` when there is nothing to look at.
    fileprivate func whole(as mediaType: String) -> RenderedPart? {
        let content: RenderedPart.Content
        switch kind {
        case .image(let layout):
            let frames = (0..<layout.frameCount).map {
                StoredFrame(instance: instance, layout: layout, number: $0 + 1)
            }
            content = frames.count == 1 ? .frame(frames[0]) : .animation(frames)
        case .video(let layout, _): content = .video(layout.byteRanges(ofFrame: 1) ?? [])
        case .report: content = .report
        case .document(let value, _): content = .document(value)
        case .other: return nil
        }
        return RenderedPart(viewed: self, content: content, mediaType: mediaType)
    }
}

extension Response {
    /// Adds a warning that is not about caching (RFC 7234 5.5.7, PS3.18 8.5).
    mutating func addWarning(_ text: String, _ base: String) {
        headers.append(HTTPField(name: .warning, value: "299 \(base) \"\(text)\""))
    }
}

extension HTTPField.Name {
    static let contentSecurityPolicy = HTTPField.Name("Content-Security-Policy")!
}
