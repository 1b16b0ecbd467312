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
    let archive: Archive
    private let metadataRoute: MetadataRoute
    private let instancesRoute: InstancesRoute
    private let framesRoute: FramesRoute
    private let bulkDataRoute: BulkDataRoute
    private let uriRoute: URIServiceRoute

    init(archive: Archive, pixels workers: PixelWorkers, configuration: GantryConfiguration) {
        self.archive = archive
        let pixels = PixelAccess(blobs: archive.blobs, workers: workers)
        let isStrict = configuration.strict.accept
        metadataRoute = MetadataRoute(archive: archive, isAcceptStrict: isStrict)
        framesRoute = FramesRoute(archive: archive, pixels: pixels, isAcceptStrict: isStrict)
        bulkDataRoute = BulkDataRoute(archive: archive, frames: framesRoute, isAcceptStrict: isStrict)
        instancesRoute = InstancesRoute(
            archive: archive, pixels: pixels, bulkData: bulkDataRoute, isAcceptStrict: isStrict,
            wildcardIsStored: configuration.retrieve.wildcardTransferSyntax == .stored)
        uriRoute = URIServiceRoute(archive: archive, pixels: pixels)
    }

    func instances(_ entity: EntityPath, _ request: Request, at base: String) async throws -> Response {
        try await instancesRoute.answer(entity, request, at: base)
    }

    func metadata(_ entity: EntityPath, _ request: Request, at base: String) async throws -> Response {
        try await metadataRoute.answer(entity, request, at: base)
    }

    func frames(
        _ frames: FrameList, of entity: EntityPath, _ request: Request, at base: String
    ) async throws -> Response {
        try await framesRoute.answer(frames, of: entity, request, at: base)
    }

    func pixelData(of entity: EntityPath, _ request: Request, at base: String) async throws -> Response {
        try await framesRoute.answerPixelData(of: entity, request, at: base)
    }

    func bulkData(of entity: EntityPath, _ request: Request, at base: String) async throws -> Response {
        try await bulkDataRoute.answerAll(of: entity, request, at: base)
    }

    func bulkDataValue(
        _ entity: EntityPath, _ path: BulkDataPath, _ request: Request, at base: String
    ) async throws -> Response {
        try await bulkDataRoute.answer(path, of: entity, request, at: base)
    }

    func answerURIRequest(_ request: Request, at base: String, context: GantryContext) async throws -> Response {
        try await uriRoute.answer(request)
    }
}
