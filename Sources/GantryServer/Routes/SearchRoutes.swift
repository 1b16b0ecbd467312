import Archive
import DICOMCore
import DICOMWeb
import HTTPTypes
import Hummingbird
import NIOCore

/// QIDO-RS: the six searches (PS3.18 10.6).
struct SearchRoutes: Sendable {
    let archive: ReadableArchive
    let trail: ReadTrail
    /// Most results of one answer.
    let maximum: Int
    /// The zone of stored dates and times whose data set names none.
    let timezone: TimezoneOffset
    let isAcceptStrict: Bool
    /// Whether every request is handled as with `Prefer: handling=strict`.
    let isQueryStrict: Bool

    static let features: SearchFeatures = {
        var features = SearchFeatures()
        features.fuzzyMatching = true
        return features
    }()

    func search(
        _ resource: ResourcePath, _ request: Request, at base: String, context: GantryContext
    ) async throws -> Response {
        let form = try TextForm(request, .searchResult, isStrict: isAcceptStrict)
        let preferences = request.headers[values: .prefer] + (isQueryStrict ? ["handling=strict"] : [])
        let search = try SearchRequest(
            resource, query: request.uri.query, prefer: preferences, features: Self.features)
        let result = try await trail.query(search.query, context: context) {
            try await archive.index.search(
                search.query, as: SearchText(resource: "\(resource)", parameters: request.uri.query ?? ""),
                maximum: maximum, assuming: timezone)
        }
        var warnings = search.warnings
        let page = SearchPage(
            matches: result.total, offset: result.offset, limit: search.query.limit, maximum: maximum)
        if let more = page.warningText { warnings.append(more) }
        var response = try answer(result, as: form, search, gzip: TextBody.acceptsGzip(request), at: base)
        if !warnings.isEmpty {
            response.headers[.warning] = warnings.map { "299 \(base) \"\($0)\"" }.joined(separator: ", ")
        }
        return response
    }

    private func answer(
        _ result: SearchResult, as form: TextForm, _ search: SearchRequest, gzip: Bool, at base: String
    ) throws -> Response {
        guard result.count > 0 else {
            guard search.wantsEmptyArray, form == .json else { return Response(status: .noContent) }
            return TextBody.response(Array("[]".utf8), contentType: form.contentType, gzip: false)
        }
        var bytes: [UInt8] = []
        var contentType = form.contentType
        switch form {
        case .json:
            result.writeJSON(base: base, into: &bytes)
        case .xml:
            var parts = XMLParts()
            for index in 0..<result.count { parts.append(try result.dataSet(match: index, base: base)) }
            parts.end()
            (bytes, contentType) = (parts.bytes, parts.contentType)
        }
        var response = TextBody.response(bytes, contentType: contentType, gzip: gzip)
        response.headers[.cacheControl] = "private, no-cache"
        return response
    }
}
