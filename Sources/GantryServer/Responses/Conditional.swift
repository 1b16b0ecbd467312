import DICOMWeb
import HTTPTypes
import Hummingbird

/// A strong entity tag for one representation of a version of a resource (RFC 9110 8.8.3), and what it saves.
struct Conditional {
    let tag: EntityTag

    /// - Parameters:
    ///   - version: changes whenever the resource does, and never comes back.
    ///   - representation: tells representations of one version apart: media type, transfer syntax, coding.
    init(version: Int64, representation: String) {
        tag = EntityTag("\(String(version, radix: 36))-\(representation)")
    }

    /// The 304 that answers If-None-Match with this tag; `nil` when the whole answer is wanted.
    func notModified(_ request: Request, cacheControl: String = "private, no-cache") -> Response? {
        let fields = request.headers[values: .ifNoneMatch]
        guard !fields.isEmpty, tag.matches(ifNoneMatch: fields) else { return nil }
        return Response(
            status: .notModified,
            headers: [
                .eTag: tag.description, .cacheControl: cacheControl, .vary: "Accept, Accept-Encoding",
            ])
    }

    /// Puts the tag and what caches need to know on an answer.
    func apply(to response: inout Response, cacheControl: String = "private, no-cache") {
        response.headers[.eTag] = tag.description
        response.headers[.cacheControl] = cacheControl
        response.headers.addVary("Accept")
        response.headers.addVary("Accept-Encoding")
    }
}
