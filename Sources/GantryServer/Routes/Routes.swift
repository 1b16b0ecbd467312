import DICOMWeb
import HTTPTypes
import Hummingbird
import NIOCore

/// From a path to what answers it.
///
/// The DICOMweb service is the same under each of its roots; what an answer links to stays under the root that was
/// asked.
struct Routes: Sendable {
    static let serviceRoots = ["/dicomweb", "/stow-rs", "/wado-rs"]

    // What is absent is not offered in this role.
    var store: StoreRoutes?
    var search: SearchRoutes?
    var retrieve: RetrieveRoutes?
    var delete: DeleteRoutes?
    var orders: OrderRoutes?
    var uploads: UploadRoutes?
    var core: CoreRoutes?
    let operations: OperationsRoutes
    let publicAddress: PublicAddress

    private var isServiceOffered: Bool { store != nil || search != nil || retrieve != nil }

    func answer(_ request: Request, context: GantryContext) async throws -> (RouteName, Response) {
        let path = request.uri.path
        for root in Self.serviceRoots where isServiceOffered && path.hasPrefix(root) {
            let rest = path.dropFirst(root.count)
            guard rest.isEmpty || rest.first == "/" else { continue }
            let base = publicAddress.url(for: request.head, peer: context.peerAddress) + root
            return try await serve(rest, at: base, request, context)
        }
        if let uploads, path.hasPrefix("/upload") {
            let base = publicAddress.url(for: request.head, peer: context.remoteAddress)
            if let answer = try await uploads.answer(request, at: base, context: context) { return answer }
        }
        if let core, CoreRoutes.isResponsible(for: path) { return try await core.answer(request, context: context) }
        if let orders, let resource = OrderResource(path: path) {
            return (resource.route, try await orders.answer(resource, request, context: context))
        }
        return try await operations.answer(request, context: context)
    }

    private func serve(
        _ path: Substring, at base: String, _ request: Request, _ context: GantryContext
    ) async throws -> (RouteName, Response) {
        let resource = try resource(path, request.method)
        switch resource {
        case .service: return (.capabilities, CapabilitiesRoute(offersDelete: delete != nil).answer(at: base))
        case .uriService:
            guard let retrieve else { break }
            return (.wadoURI, try await retrieve.answerURIRequest(request, at: base, context: context))
        case .studies where request.method == .post:
            guard let store else { break }
            return (.store, try await store.store(request, study: nil, at: base, context: context))
        case .entity(let entity, .instances) where request.method == .post:
            guard let store else { break }
            return (.store, try await store.store(request, study: entity.study, at: base, context: context))
        case .studies, .allSeries, .allInstances, .series, .instances:
            guard let search else { break }
            return (.search, try await search.search(resource, request, at: base, context: context))
        case .entity(let entity, .instances) where request.method == .delete:
            guard let delete else { break }
            return (.delete, try await delete.delete(entity, context: context))
        case .entity(let entity, let aspect):
            guard let retrieve else { break }
            let route = RouteName(aspect)
            return (
                route, try await retrieve.answer(entity, aspect, as: route, request, at: base, context: context)
            )
        case .bulkDataValue(let entity, let path):
            guard let retrieve else { break }
            return (
                .bulkData, try await retrieve.bulkDataValue(entity, path, request, at: base, context: context)
            )
        case .frames(let entity, let frames, let aspect):
            guard let retrieve else { break }
            let route = RouteName(aspect)
            return (
                route,
                try await retrieve.frames(frames, of: entity, aspect, as: route, request, at: base, context: context)
            )
        }
        throw Problem(.notFound, "This process does not offer the resource.")
    }

    /// The resource, if this method of it is offered.
    private func resource(_ path: Substring, _ method: HTTPRequest.Method) throws -> ResourcePath {
        let methods: [HTTPRequest.Method]
        do {
            let resource = try ResourcePath(path, for: method)
            if isOffered(resource, method) { return resource }
            methods = resource.allowedMethods
        } catch {
            guard error.code == .methodNotAllowed else { throw error }
            methods = error.allow
        }
        let offered = methods.filter { method in
            // A malformed path is of this kind all the same.
            isOffered((try? ResourcePath(path, for: method)) ?? .service, method)
        }
        guard offered.contains(where: { $0 != .options }) else {
            throw Problem(.notFound, "This process does not offer the resource.")
        }
        throw Self.methodNotAllowed(offered)
    }

    private func isOffered(_ resource: ResourcePath, _ method: HTTPRequest.Method) -> Bool {
        switch method {
        case .options: true
        case .post: store != nil
        case .delete: delete != nil
        default:
            switch resource {
            case .service: true
            case .studies, .allSeries, .allInstances, .series, .instances: search != nil
            case .uriService, .entity, .bulkDataValue, .frames: retrieve != nil
            }
        }
    }

    static func methodNotAllowed(_ methods: [HTTPRequest.Method]) -> Problem {
        Problem(
            .methodNotAllowed, "The resource offers \(methods.map(\.rawValue).joined(separator: ", ")).",
            headers: [.allow: methods.map(\.rawValue).joined(separator: ", ")])
    }
}

extension RouteName {
    /// The route that retrieves this of a study, series or instance.
    fileprivate init(_ aspect: ResourcePath.Aspect) {
        self =
            switch aspect {
            case .instances: .retrieve
            case .metadata: .metadata
            case .bulkData: .bulkData
            case .pixelData: .pixelData
            case .rendered: .rendered
            case .thumbnail: .thumbnail
            }
    }

    /// The route that retrieves this of frames.
    fileprivate init(_ aspect: ResourcePath.FrameAspect) {
        self =
            switch aspect {
            case .pixelData: .frames
            case .rendered: .rendered
            case .thumbnail: .thumbnail
            }
    }
}

/// `OPTIONS` on a service root: what the service can do (PS3.18 8.9).
struct CapabilitiesRoute {
    let offersDelete: Bool

    func answer(at base: String) -> Response {
        var features = CapabilitiesDescription.Features()
        features.deletes = offersDelete
        let wadl = CapabilitiesDescription(features: features).wadl(serviceURL: base)
        return Response(
            status: .ok, headers: [.contentType: CapabilitiesDescription.mediaType],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: wadl)))
    }
}
