import DICOMWeb
import HTTPTypes
import Hummingbird
import NIOCore

/// The web page at `/`, with what it consists of below `/page/` (docs/web-page.md).
///
/// It is a client of the DICOMweb service like any other: nothing here reads the archive.
struct PageRoutes: Sendable {
    /// Nothing but what comes from here may be loaded, run or asked, and no other page may frame this one.
    static let contentSecurityPolicy = """
        default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; \
        form-action 'self'; base-uri 'none'; frame-ancestors 'none'
        """

    private static let folder = "/page/"
    private static let assets = [String: PageAsset](
        uniqueKeysWithValues: PageAsset.all.map { ($0.type == .html ? "/" : folder + $0.name, $0) })

    /// Whether a path is the page's.
    static func isResponsible(for path: String) -> Bool { path == "/" || path.hasPrefix(folder) }

    /// Answers GET and HEAD.
    static func answer(_ path: String, _ request: Request) throws -> Response {
        guard let asset = asset(at: path) else { throw Problem(.notFound, "The page has no such part.") }
        let isGzipped = asset.gzipped.count < asset.bytes.count && TextBody.acceptsGzip(request)
        let tag = asset.entityTag(gzip: isGzipped)
        var headers: HTTPFields = [
            .eTag: tag.description, .cacheControl: "no-cache", .vary: "Accept-Encoding",
            .contentSecurityPolicy: contentSecurityPolicy, .referrerPolicy: "no-referrer",
        ]
        if tag.matches(ifNoneMatch: request.headers[values: .ifNoneMatch]) {
            return Response(status: .notModified, headers: headers)
        }
        headers[.contentType] = asset.type.rawValue
        if isGzipped { headers[.contentEncoding] = "gzip" }
        return Response(
            status: .ok, headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: isGzipped ? asset.gzipped : asset.bytes)))
    }

    private static func asset(at path: String) -> PageAsset? {
        path == folder + "attributes.json" ? .attributes : assets[path]
    }
}

extension HTTPField.Name {
    static let referrerPolicy = HTTPField.Name("Referrer-Policy")!
}
