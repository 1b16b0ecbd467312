import Archive
import BlobStorage
import DICOMCore
import DICOMPixels
import DICOMWeb
import HTTPTypes
import Hummingbird
import NIOCore
import PixelWorkers

/// WADO-RS and WADO-URI: instances, metadata, bulk data, pixel data and frames (PS3.18 9 and 10.4).
struct RetrieveRoutes: Sendable {
    let archive: ReadableArchive
    private let trail: ReadTrail
    private let metadataRoute: MetadataRoute
    private let instancesRoute: InstancesRoute
    private let framesRoute: FramesRoute
    private let bulkDataRoute: BulkDataRoute
    private let renderedRoute: RenderedRoute
    private let thumbnailRoute: ThumbnailRoute
    private let uriRoute: URIServiceRoute

    init(archive: ReadableArchive, pixels workers: PixelWorkers, trail: ReadTrail, configuration: GantryConfiguration) {
        self.archive = archive
        self.trail = trail
        let pixels = PixelAccess(blobs: archive.blobs, workers: workers)
        let isStrict = configuration.strict.accept
        metadataRoute = MetadataRoute(archive: archive, isAcceptStrict: isStrict)
        framesRoute = FramesRoute(archive: archive, pixels: pixels, isAcceptStrict: isStrict)
        bulkDataRoute = BulkDataRoute(archive: archive, frames: framesRoute, isAcceptStrict: isStrict)
        instancesRoute = InstancesRoute(
            archive: archive, pixels: pixels, bulkData: bulkDataRoute, isAcceptStrict: isStrict,
            wildcardIsStored: configuration.retrieve.wildcardTransferSyntax == .stored)
        renderedRoute = RenderedRoute(archive: archive, pixels: pixels, isAcceptStrict: isStrict)
        thumbnailRoute = ThumbnailRoute(archive: archive, pixels: pixels, isAcceptStrict: isStrict)
        uriRoute = URIServiceRoute(archive: archive, pixels: pixels, trail: trail)
    }

    /// Study, series or instance, or an aspect of it.
    func answer(
        _ entity: EntityPath, _ aspect: ResourcePath.Aspect, as route: RouteName, _ request: Request, at base: String,
        context: GantryContext
    ) async throws -> Response {
        try await trail.retrieval(of: entity, as: route, context: context) {
            switch aspect {
            case .instances: try await instancesRoute.answer(entity, request, at: base)
            case .metadata: try await metadataRoute.answer(entity, request, at: base)
            case .bulkData: try await bulkDataRoute.answerAll(of: entity, request, at: base)
            case .pixelData: try await framesRoute.answerPixelData(of: entity, request, at: base)
            case .rendered: try await renderedRoute.answer(entity, request, at: base)
            case .thumbnail: try await thumbnailRoute.answer(entity, request, at: base)
            }
        }
    }

    /// Frames, or an aspect of them.
    func frames(
        _ frames: FrameList, of entity: EntityPath, _ aspect: ResourcePath.FrameAspect, as route: RouteName,
        _ request: Request, at base: String, context: GantryContext
    ) async throws -> Response {
        try await trail.retrieval(of: entity, as: route, context: context) {
            switch aspect {
            case .pixelData: try await framesRoute.answer(frames, of: entity, request, at: base)
            case .rendered: try await renderedRoute.answer(frames, of: entity, request, at: base)
            case .thumbnail: try await thumbnailRoute.answer(entity, frames: frames, request, at: base)
            }
        }
    }

    func bulkDataValue(
        _ entity: EntityPath, _ path: BulkDataPath, _ request: Request, at base: String, context: GantryContext
    ) async throws -> Response {
        try await trail.retrieval(of: entity, as: .bulkData, context: context) {
            try await bulkDataRoute.answer(path, of: entity, request, at: base)
        }
    }

    func answerURIRequest(_ request: Request, at base: String, context: GantryContext) async throws -> Response {
        try await uriRoute.answer(request, at: base, context: context)
    }
}
