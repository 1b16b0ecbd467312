import Archive
import CoreWire
import DICOMCore
import HTTPTypes
import Hummingbird
import Ingestion
import NIOCore

/// What the other roles ask the core for: `POST /` takes events of instances that were stored, `/query` tells what the index
/// knows. Every answer says that a process of ours gave it.
struct CoreRoutes: Sendable {
    let events: EventRoutes
    let queries: QueryRoutes

    static func isResponsible(for path: String) -> Bool {
        path == "/" || path == "/query" || path.hasPrefix("/query/")
    }

    func answer(_ request: Request, context: GantryContext) async throws -> (RouteName, Response) {
        do {
            let path = request.uri.path
            var (route, response) =
                path == "/"
                ? (RouteName.events, try await events.answer(request, context: context))
                : (RouteName.query, try await queries.answer(path.dropFirst("/query".count), request, context: context))
            response.headers[.gantryWire] = CoreWireFields.version
            return (route, response)
        } catch {
            let problem = ErrorResponses.problem(for: error)
            // What is not expected is logged where all errors are.
            guard problem.kind != .internalError else { throw error }
            var marked = problem
            marked.headers[.gantryWire] = CoreWireFields.version
            throw marked
        }
    }

    /// A body that is held as a whole.
    static func body(
        of request: Request, atMost limit: Int, budget: ByteBudget, context: GantryContext
    ) async throws -> (bytes: ByteBuffer, reservation: ByteBudget.Reservation) {
        let coding = try ContentCoding(request.headers[.contentEncoding])
        let length = try request.declaredLength
        if let length, length > limit { throw LimitedBody.tooLarge(limit: limit) }
        try request.checkExpectation()
        guard let reservation = budget.reserve(whole: coding == .identity ? length ?? limit : limit) else {
            throw Problem(.unavailable, "The server receives as many bytes at once as it may.")
        }
        try await context.askForBody(of: request.head)
        var bytes = ByteBuffer()
        for try await var chunk in LimitedBody(request.body, limit: limit, coding: coding) {
            bytes.writeBuffer(&chunk)
        }
        return (bytes, reservation)
    }
}

/// What our answers carry beyond what the wire of others has.
enum CoreWireFields {
    static let version = "\(CommitMessage.version)"
}

extension HTTPField.Name {
    static let gantryWire = HTTPField.Name(QueryField.wire)!
    static let gantryResource = HTTPField.Name(QueryField.resource)!
    static let gantryVersion = HTTPField.Name(QueryField.version)!
    static let gantryModified = HTTPField.Name(QueryField.modified)!
    static let gantryTotal = HTTPField.Name(QueryField.total)!
}
