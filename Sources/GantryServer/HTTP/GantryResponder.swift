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

    package func respond(to request: Request, context: GantryContext) async throws -> Response {
        let start = ContinuousClock.now
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
                (route, response) = try await routes.answer(request, context: context)
            } catch {
                response = ErrorResponses.response(for: error, requestID: context.requestID, logger: context.logger)
            }
            cors.apply(to: &response, for: request)
        }
        response.headers[.xContentTypeOptions] = "nosniff"
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
    static let xRequestID = HTTPField.Name("X-Request-ID")!
}
