import Archive
import DICOMWeb
import HTTPTypes
import Hummingbird

/// What tells one representation of a version of a resource (RFC 9110 8.8): a strong entity tag, and when the resource
/// changed last. And what they save.
struct Conditional {
    let tag: EntityTag
    /// The first full second at or after the change: what was answered before that second is never taken for what was
    /// answered after it.
    let modified: HTTPDate?

    /// - Parameter representation: tells representations of one version apart: media type, transfer syntax, coding.
    init(version: ResourceVersion, representation: String) {
        tag = EntityTag("\(String(version.number, radix: 36))-\(representation)")
        modified = version.modifiedAt.map { HTTPDate(secondsSince1970: ($0 + 999) / 1000) }
    }

    /// Whether a request has a condition that a 304 may answer.
    static func isAsked(by request: Request) -> Bool {
        request.headers[.ifNoneMatch] != nil || request.headers[.ifModifiedSince] != nil
    }

    /// The 304 for a client that has this representation; `nil` when the whole answer is wanted.
    func notModified(_ request: Request, cacheControl: String = "private, no-cache") -> Response? {
        guard isKnown(to: request) else { return nil }
        return Response(
            status: .notModified,
            headers: [
                .eTag: tag.description, .cacheControl: cacheControl, .vary: "Accept, Accept-Encoding",
            ])
    }

    /// If-None-Match decides where there is one, and If-Modified-Since, which knows seconds only, elsewhere
    /// (RFC 9110 13.2.2). What is no date is as if it were not there (13.1.3).
    private func isKnown(to request: Request) -> Bool {
        let tags = request.headers[values: .ifNoneMatch]
        guard tags.isEmpty else { return tag.matches(ifNoneMatch: tags) }
        let dates = request.headers[values: .ifModifiedSince]
        guard dates.count == 1, let since = HTTPDate(dates[0]), let modified else { return false }
        return modified <= since
    }

    /// Puts on an answer what caches need to know. In the second of the change there is no Last-Modified: another change
    /// may come in the same second.
    func apply(
        to response: inout Response, cacheControl: String = "private, no-cache", now: Int64 = Gantry.systemClock()
    ) {
        response.headers[.eTag] = tag.description
        if let modified, modified.secondsSince1970 * 1000 <= now {
            response.headers[.lastModified] = modified.description
        }
        response.headers[.cacheControl] = cacheControl
        response.headers.addVary("Accept")
        response.headers.addVary("Accept-Encoding")
    }
}
