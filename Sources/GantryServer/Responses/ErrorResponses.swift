import Archive
import BlobStorage
import CoreWire
import DICOMWeb
import HTTPTypes
import Hummingbird
import Logging
import Observability
import PixelWorkers
import SQLStorage
import Workflows

/// The one place where errors of every vocabulary become HTTP.
enum ErrorResponses {
    /// The type, and the code of those that have one: an error's text may hold what we must not log.
    private static func name(of error: any Error) -> String {
        switch error {
        case let error as BlobError: "BlobError \(error.code) in \(error.operation)"
        case let error as SQLError: "SQLError \(error.code)"
        default: "\(type(of: error))"
        }
    }

    static func response(for error: any Error, requestID: String, logger: Logger) -> Response {
        let problem = problem(for: error)
        if problem.kind == .internalError {
            logger.error("request failed", metadata: .keys([.error: "\(name(of: error))"]))
        }
        return problem.response(requestID: requestID)
    }

    static func problem(for error: any Error) -> Problem {
        switch error {
        case let problem as Problem: problem
        case let error as DICOMWebError: problem(for: error)
        case let error as SQLError: problem(for: error)
        case let error as BlobError: problem(for: error)
        case let error as OrderError: problem(for: error)
        case let failure as PixelFailure: problem(for: failure)
        case let failure as CoreConnection.Failure: problem(for: failure)
        case is CancellationError: Problem(.unavailable, "The server is stopping.")
        default: Problem(.internalError, "The request could not be answered.")
        }
    }

    private static func problem(for error: DICOMWebError) -> Problem {
        var headers: HTTPFields = [:]
        if error.code == .unsupportedMediaType { headers[.acceptPost] = StoreContentType.acceptPost }
        let kind: ProblemKind =
            switch error.code {
            case .unknownResource: .notFound
            case .invalidPath: .invalidPath
            case .methodNotAllowed: .methodNotAllowed
            case .invalidQuery: .invalidQuery
            case .invalidFrameList: .invalidFrameList
            case .invalidContentType: .invalidHeader
            case .unsupportedMediaType: .unsupportedMediaType
            case .notAcceptable: .notAcceptable
            case .malformedBody: .invalidBody
            }
        return Problem(kind, "\(error.detail) (\(error.clause))", headers: headers)
    }

    private static func problem(for error: SQLError) -> Problem {
        switch error.code {
        case .busy, .connection: Problem(.unavailable, "The index does not answer.")
        case .full: Problem(.insufficientStorage, "The index cannot grow.")
        default: Problem(.internalError, "The index could not be asked.")
        }
    }

    private static func problem(for error: OrderError) -> Problem {
        switch error {
        case .notFound: return Problem(.noSuchOrder, "There is no order of this name or study, or it is not yours.")
        case .noReport: return Problem(.noReport, "The order has no such report.")
        case .notAllowed(let state, let failure, let missing):
            var problem = Problem(.orderState, "The order is \(state.rawValue).")
            problem.members = [OrderedJSON.Member("state", .string(state.rawValue))]
            if let failure { problem.members.append(OrderedJSON.Member("reason", .string(failure.rawValue))) }
            if !missing.isEmpty {
                problem.members.append(OrderedJSON.Member("missing", .array(missing.map { .string($0) })))
            }
            return problem
        case .invalidMetadata(let faults):
            var problem = Problem(.invalidMetadata, "\(faults.count) of the values cannot be taken.")
            let errors = faults.map { fault -> OrderedJSON in
                ["pointer": .string(fault.pointer), "detail": .string(fault.detail)]
            }
            problem.members = [OrderedJSON.Member("errors", .array(errors))]
            return problem
        }
    }

    private static func problem(for failure: PixelFailure) -> Problem {
        let detail = failure.reason.prefix(1).uppercased() + failure.reason.dropFirst() + "."
        return switch failure.kind {
        case .unsupported: Problem(.notAcceptable, detail)
        case .corrupt, .disagrees, .crashed, .timedOut: Problem(.damagedPixels, detail)
        case .tooLarge: Problem(.tooLarge, detail)
        case .notRenderable: Problem(.noSuchResource, detail)
        case .badRequest: Problem(.invalidQuery, detail)
        case .unavailable: Problem(.unavailable, detail)
        }
    }

    private static func problem(for failure: CoreConnection.Failure) -> Problem {
        switch failure {
        case .unreachable, .interrupted: Problem(.unavailable, "The process that has the index does not answer.")
        case .unreadable: Problem(.internalError, "The process that has the index answers what cannot be understood.")
        }
    }

    private static func problem(for error: BlobError) -> Problem {
        switch error.code {
        case .full: Problem(.insufficientStorage, "The object store is full.")
        case .unavailable, .denied: Problem(.unavailable, "The object store does not answer.")
        default: Problem(.internalError, "The stored object could not be read.")
        }
    }
}
