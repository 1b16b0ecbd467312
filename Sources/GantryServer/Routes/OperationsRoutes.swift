import HTTPTypes
import Hummingbird
import NIOCore
import Observability

/// What those who run the server ask for: health, metrics, the change feed, and the web page.
struct OperationsRoutes: Sendable {
    let checks: [HealthCheck]
    let registry: MetricRegistry
    /// `nil` where there is no database.
    let changes: ChangeFeed?
    /// `nil` where nobody is asked who they are.
    var access: AccessRoutes?
    var hasPage = true

    func answer(_ request: Request, context: GantryContext) async throws -> (RouteName, Response) {
        var path = request.uri.path
        if path.count > 1, path.hasSuffix("/") { path.removeLast() }
        let route: RouteName =
            switch path {
            case "/health/live", "/health/ready": .health
            case "/metrics": .metrics
            case "/changes" where changes != nil: .changes
            case "/token" where access != nil, "/test-token" where access != nil: .token
            case _ where access != nil && path.hasPrefix("/.well-known/"): .discovery
            case _ where access != nil && path.hasPrefix("/admin/"): .admin
            case _ where hasPage && PageRoutes.isResponsible(for: path): .page
            default:
                throw Problem(.notFound, "The path leads nowhere.")
            }
        if let access, [.token, .discovery, .admin].contains(route) {
            return (route, try await access.answer(path, request, context: context))
        }
        guard request.method == .get || request.method == .head else { throw Routes.methodNotAllowed([.get, .head]) }
        switch route {
        case .health:
            guard path == "/health/ready" else { return (route, Self.json(.ok, Array(#"{"status":"live"}"#.utf8))) }
            let report = await HealthReport(asking: checks)
            return (route, Self.json(report.isReady ? .ok : .serviceUnavailable, report.json()))
        case .metrics:
            return (
                route,
                Response(
                    status: .ok, headers: [.contentType: PrometheusText.contentType],
                    body: ResponseBody(byteBuffer: ByteBuffer(string: PrometheusText.render(registry))))
            )
        case .changes:
            guard let changes else { throw Problem(.notFound, "The path leads nowhere.") }
            return (route, try await changes.answer(request))
        default:
            return (route, try PageRoutes.answer(path, request))
        }
    }

    static func json(_ status: HTTPResponse.Status, _ bytes: [UInt8]) -> Response {
        Response(
            status: status, headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}
