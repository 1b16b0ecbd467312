import Archive
import DICOMWeb
import Hummingbird
import Ingestion

/// `DELETE` of a study, a series or an instance: not in the standard, but offered by most servers (dicomweb.md 1.7).
struct DeleteRoutes: Sendable {
    let archive: Archive
    let eventSource: String
    let clock: @Sendable () -> Int64

    func delete(_ entity: EntityPath, context: GantryContext) async throws -> Response {
        let now = clock()
        let record = DeletionRecord(
            study: entity.study, series: entity.series, instance: entity.instance,
            origin: IngestionOrigin(
                door: .stow, requestID: context.requestID, remoteAddress: context.remoteAddress,
                principal: context.principal),
            eventSource: eventSource, time: now)
        _ = try await archive.delete(
            study: entity.study, series: entity.series, instance: entity.instance, now: now
        ) { deletion, transaction in
            try record.write(deletion, in: transaction)
        }.required(entity)
        return Response(status: .noContent)
    }
}
