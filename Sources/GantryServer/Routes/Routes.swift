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

    let store: StoreRoutes
    let search: SearchRoutes
    let retrieve: RetrieveRoutes
    let delete: DeleteRoutes
    let orders: OrderRoutes
    let operations: OperationsRoutes
    let publicAddress: PublicAddress
    let isDeletingOffered: Bool

    func answer(_ request: Request, context: GantryContext) async throws -> (RouteName, Response) {
        let path = request.uri.path
        for root in Self.serviceRoots where path.hasPrefix(root) {
            let rest = path.dropFirst(root.count)
            guard rest.isEmpty || rest.first == "/" else { continue }
            let base = publicAddress.url(for: request.head, peer: context.remoteAddress) + root
            return try await serve(rest, at: base, request, context)
        }
        if let resource = OrderResource(path: path) {
            return (resource.route, try await orders.answer(resource, request, context: context))
        }
        return try await operations.answer(request, context: context)
    }

    private func serve(
        _ path: Substring, at base: String, _ request: Request, _ context: GantryContext
    ) async throws -> (RouteName, Response) {
        let resource = try resource(path, request.method)
        switch resource {
        case .service: return (.capabilities, CapabilitiesRoute(offersDelete: isDeletingOffered).answer(at: base))
        case .uriService: return (.wadoURI, try await retrieve.answerURIRequest(request, at: base, context: context))
        case .studies where request.method == .post:
            return (.store, try await store.store(request, study: nil, at: base, context: context))
        case .entity(let entity, .instances) where request.method == .post:
            return (.store, try await store.store(request, study: entity.study, at: base, context: context))
        case .studies, .allSeries, .allInstances, .series, .instances:
            return (.search, try await search.search(resource, request, at: base, context: context))
        case .entity(let entity, .instances) where request.method == .delete:
            return (.delete, try await delete.delete(entity, context: context))
        case .entity(let entity, let aspect):
            let route = RouteName(aspect)
            return (
                route, try await retrieve.answer(entity, aspect, as: route, request, at: base, context: context)
            )
        case .bulkDataValue(let entity, let path):
            return (
                .bulkData, try await retrieve.bulkDataValue(entity, path, request, at: base, context: context)
            )
        case .frames(let entity, let frames, let aspect):
            let route = RouteName(aspect)
            return (
                route,
                try await retrieve.frames(frames, of: entity, aspect, as: route, request, at: base, context: context)
            )
        }
    }

    /// The resource, with what is switched off taken out of its methods.
    private func resource(_ path: Substring, _ method: HTTPRequest.Method) throws -> ResourcePath {
        do {
            let resource = try ResourcePath(path, for: method)
            if method == .delete, !isDeletingOffered {
                throw Self.methodNotAllowed(resource.allowedMethods.filter { $0 != .delete })
            }
            return resource
        } catch let error as DICOMWebError where error.code == .methodNotAllowed {
            throw Self.methodNotAllowed(error.allow.filter { $0 != .delete || isDeletingOffered })
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
