import Archive
import Audit
import DICOMWeb
import HTTPTypes
import Hummingbird
import Ingestion
import Logging
import Observability

/// `DELETE` of a study, a series or an instance: not in the standard, but offered by most servers (dicomweb.md 1.7).
struct DeleteRoutes: Sendable {
    let archive: Archive
    let pipeline: IngestionPipeline
    let clock: @Sendable () -> Int64

    func delete(_ entity: EntityPath, context: GantryContext) async throws -> Response {
        let record = pipeline.deletionRecord(
            study: entity.study,
            origin: IngestionOrigin(
                door: .stow, requestID: context.requestID, remoteAddress: context.remoteAddress),
            at: clock())
        let found = try await archive.delete(
            study: entity.study, series: entity.series, instance: entity.instance, now: clock(), alongside: record)
        switch found {
        case .found: return Response(status: .noContent)
        case .gone: throw Problem(.gone, "The \(entity.level) was deleted before.")
        case .unknown: throw Problem(.noSuchResource, "There is no such \(entity.level) to delete.")
        }
    }
}
