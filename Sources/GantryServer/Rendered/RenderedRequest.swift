import DICOMWeb
import HTTPTypes
import Hummingbird

/// What a request for a rendered resource says: how to render, and the types that are acceptable.
struct RenderedRequest: Sendable {
    let parameters: RenderingParameters
    private let accept: AcceptHeader
    private let query: AcceptHeader?

    init(_ parameters: RenderingParameters, _ request: Request, requiresAccept: Bool) throws {
        self.parameters = parameters
        accept = AcceptHeader(request.headers[values: .accept])
        query = parameters.accept.isEmpty ? nil : AcceptHeader(parameters.accept)
        guard !accept.isAbsent || !requiresAccept else {
            throw Problem(.notAcceptable, "The request has no Accept header.")
        }
    }

    /// The acceptable ways to answer, best first; never empty.
    ///
    /// Where there is nothing to look at, who takes anything is told so with a 404, and who wants certain types with a
    /// 406.
    func offers(for categories: [RenderedMediaTypes.Category]) throws -> [RenderedMediaTypes.Offer] {
        let types = RenderedMediaTypes(categories)
        if types.offers.isEmpty, accept.ranges.contains(where: { $0.mediaType.type == "*" && $0.quality > 0 }) {
            throw Problem(.noSuchResource, "There is nothing to render.")
        }
        return try types.choices(accept: accept, query: query)
    }
}
