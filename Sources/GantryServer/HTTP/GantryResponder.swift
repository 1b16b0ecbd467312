import Access
import DICOMWeb
import HTTPTypes
package import Hummingbird
import Logging
import Observability

/// Every request comes in here and every answer leaves from here: limits, CORS, problems, metrics and the access log
/// are applied once, around the routes.
package struct GantryResponder: HTTPResponder {
    package typealias Context = GantryContext

    let routes: Routes
    let cors: CORSPolicy
    let limits: GantryConfiguration.Limits
    let metrics: RequestMetrics
    let authentication: Authentication
    let proxies: AddressRanges

    package func respond(to request: Request, context: GantryContext) async throws -> Response {
        let start = ContinuousClock.now
        var context = context
        context.remoteAddress = clientAddress(of: request, context)
        var response: Response
        var route = RouteName.unknown
        if let preflight = cors.preflight(request) {
            response = preflight
        } else {
            do {
                guard request.uri.string.utf8.count <= limits.requestTargetBytes else {
                    throw Problem(.uriTooLong, "A request target may have \(limits.requestTargetBytes) bytes.")
                }
                guard request.headers.byteCount <= limits.headerBytes else {
                    throw Problem(.headerTooLarge, "A header block may have \(limits.headerBytes) bytes.")
                }
                context.principal = try await authentication.principal(for: request, context: context)
                (route, response) = try await routes.answer(request, context: context)
            } catch {
                response = ErrorResponses.response(for: error, requestID: context.requestID, logger: context.logger)
            }
            cors.apply(to: &response, for: request)
        }
        response.headers[.xContentTypeOptions] = "nosniff"
        if route == .page, request.head.scheme == "https" {
            response.headers[.strictTransportSecurity] = "max-age=31536000"
        }
        response.headers[.xRequestID] = context.requestID
        if response.status == .noContent || response.status == .notModified { response.headers[.contentLength] = nil }
        if request.method == .head { response = response.createHeadResponse() }
        let duration = ContinuousClock.now - start
        metrics.record(route: route, status: response.status.code, duration: duration)
        context.logger.debug(
            "request answered",
            metadata: .keys([
                .route: "\(route.rawValue)", .method: "\(request.method.rawValue)", .status: "\(response.status.code)",
                .durationMilliseconds: "\(duration.milliseconds)",
            ]))
        return response
    }
}

extension GantryResponder {
    /// Who is at the other end of the way: behind proxies of ours the address that the outermost of them saw
    /// (RFC 7239 5.2). What others write into the field counts for nothing.
    private func clientAddress(of request: Request, _ context: GantryContext) -> String? {
        var address = context.peerAddress
        guard proxies.contains(address) else { return address }
        for hop in request.headers[values: .xForwardedFor].flatMap({ $0.split(separator: ",") }).reversed() {
            let hop = hop.trimmingSpaces
            guard AddressRanges.isRange(hop), !hop.contains("/") else { break }
            address = hop
            guard proxies.contains(hop) else { break }
        }
        return address
    }
}

extension Duration {
    /// The duration in milliseconds, fractions included.
    var milliseconds: Double {
        Double(components.seconds) * 1000 + Double(components.attoseconds) / 1e15
    }
}

extension HTTPFields {
    /// Bytes of the fields as they came.
    fileprivate var byteCount: Int {
        reduce(0) { $0 + $1.name.rawName.utf8.count + $1.value.utf8.count + 4 }
    }
}

extension HTTPField.Name {
    static let xForwardedFor = HTTPField.Name("X-Forwarded-For")!
    static let xRequestID = HTTPField.Name("X-Request-ID")!
}
