import Hummingbird

/// The routes about who may use the server.
struct AccessRoutes: Sendable {
    let token: TokenRoutes
    let discovery: DiscoveryRoutes
    let admin: AdminRoutes
    let publicAddress: PublicAddress

    private static let adminRoot = "/admin/"

    /// - Parameter path: without a slash at its end.
    func answer(_ path: String, _ request: Request, context: GantryContext) async throws -> Response {
        switch path {
        case "/token": return try await token.token(request, context: context)
        case "/test-token": return try token.test(request, context: context)
        case _ where path.hasPrefix(Self.adminRoot):
            return try await admin.answer(path.dropFirst(Self.adminRoot.count), request, context: context)
        default:
            return try await discovery.answer(
                path, request, at: publicAddress.url(for: request.head, peer: context.peerAddress))
        }
    }
}
