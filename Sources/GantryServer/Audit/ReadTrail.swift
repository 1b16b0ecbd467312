import Audit
import DICOMCore
import DICOMWeb
import Hummingbird

/// Notes searches and retrievals for the audit trail, when they are to be on it.
struct ReadTrail: Sendable {
    /// `nil` when reads are not audited.
    let queue: ReadQueue?
    let clock: @Sendable () -> Int64

    /// Notes nothing.
    static let off = ReadTrail(queue: nil, clock: { 0 })

    /// Runs a search and notes it.
    func query<Found>(
        _ query: InstanceQuery, context: GantryContext, _ search: () async throws -> Found
    ) async throws -> Found {
        guard queue != nil else { return try await search() }
        let subject = ReadAccess.Subject.query(
            query.level, study: query.study, series: query.series, keys: query.matches.map(\.path))
        do {
            let found = try await search()
            note(subject, .success, context)
            return found
        } catch {
            note(subject, .seriousFailure, context)
            throw error
        }
    }

    /// Answers a retrieval and notes it. Who is told to use what he has already got nothing.
    func retrieval(
        of entity: EntityPath, as route: RouteName, context: GantryContext, _ answer: () async throws -> Response
    ) async throws -> Response {
        guard queue != nil else { return try await answer() }
        // Instances are told under their study, whichever series they are of: a record costs, an instance in it hardly.
        let subject = ReadAccess.Subject.retrieval(
            route, study: entity.study, series: entity.instance == nil ? entity.series : nil)
        do {
            let response = try await answer()
            if response.status != .notModified {
                note(subject, .success, context, entity.instance, byteCount: response.body.contentLength ?? 0)
            }
            return response
        } catch {
            let isOurs = ErrorResponses.problem(for: error).kind.status >= 500
            note(subject, isOurs ? .seriousFailure : .minorFailure, context, entity.instance)
            throw error
        }
    }

    private func note(
        _ subject: ReadAccess.Subject, _ outcome: AuditEvent.Outcome, _ context: GantryContext, _ instance: UID? = nil,
        byteCount: Int = 0
    ) {
        queue?.add(
            ReadAccess(subject: subject, outcome: outcome, actor: AuditEvent.Actor(context)), instance: instance,
            byteCount: byteCount, time: clock(), requestID: context.requestID)
    }
}
