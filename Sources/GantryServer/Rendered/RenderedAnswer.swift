import Archive
import DICOMWeb
import HTTPTypes
import Hummingbird
import NIOCore
import PixelWorkers

/// An answer with something to look at: what is in it, before it is made.
struct RenderedAnswer: Sendable {
    /// What there is; never empty.
    var parts: [RenderedPart]
    var isMultipart: Bool
    var rendering: ImageRendering
    /// Changes whenever the answer may.
    var version: ResourceVersion
    /// The address of the resource, for Content-Location.
    var location: String?
    var cacheControl = RenderedRoute.cacheControl
    /// Texts of `Warning` fields.
    var warnings: [String] = []
    /// Whether something that was asked for is not there.
    var isPartial = false

    /// What a browser may do with text and documents of a data set: show them, and nothing else.
    static let contentSecurityPolicy = "default-src 'none'; style-src 'unsafe-inline'; sandbox"

    /// Grows when the same content comes to be rendered in another way: cached images are then out of date.
    private static let revision = 1

    /// Answers; 304 without anything being made where the client has it.
    func response(to request: Request, at base: String, by pixels: PixelAccess) async throws -> Response {
        let content = parts.map { "\($0.path)\($0.mediaType)" }.joined(separator: ",")
        let conditional = Conditional(
            version: version,
            representation: "r\(Self.revision)" + (isMultipart ? "m" : "s") + content.fingerprint
                + rendering.fingerprint)
        if let notModified = conditional.notModified(request, cacheControl: cacheControl) { return notModified }
        guard let first = parts.first else { throw Problem(.noSuchResource, "There is nothing to render.") }
        var response =
            isMultipart ? try await multipart(at: base, by: pixels) : try await single(first, request, by: pixels)
        conditional.apply(to: &response, cacheControl: cacheControl)
        if isPartial { response.status = .partialContent }
        for warning in warnings { response.addWarning(warning, base) }
        return response
    }

    private func single(_ part: RenderedPart, _ request: Request, by pixels: PixelAccess) async throws -> Response {
        var headers: HTTPFields = [.contentType: part.contentType]
        headers[.contentLocation] = location
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

    private func multipart(at base: String, by pixels: PixelAccess) async throws -> Response {
        var generator = SystemRandomNumberGenerator()
        let writer = MultipartRelatedWriter(partType: parts[0].mediaType, using: &generator)
        let (rendered, rendering) = (parts, rendering)
        // What cannot be rendered is told with a status: later parts can only cut the answer off.
        let contents = MadeAhead(rendered.count, ahead: pixels.workers.parallelism) { index in
            try await rendered[index].make(rendering, by: pixels)
        }
        let first = try await contents.next()
        let body = ResponseBody { output in
            var parts = writer
            var next = first
            for part in rendered {
                guard let content = next else { break }
                let head = parts.partBegins(
                    contentType: part.contentType, location: "\(base)\(part.path)", length: content.count)
                try await output.write(ByteBuffer(bytes: head))
                try await content.write(to: &output)
                next = try await contents.next()
            }
            try await output.write(ByteBuffer(bytes: parts.end()))
            try await output.finish(nil)
        }
        return Response(
            status: .ok, headers: [.contentType: writer.contentType, .acceptRanges: "none"], body: body)
    }
}

extension Response {
    /// Adds a warning that is not about caching (PS3.18 8.5).
    mutating func addWarning(_ text: String, _ base: String) {
        headers.append(HTTPField(name: .warning, value: "299 \(base) \"\(text)\""))
    }
}
