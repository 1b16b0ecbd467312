import BlobStorage
import SQLStorage

/// What a failed transaction means for the instances in it.
enum DatabaseFailure: Hashable {
    /// No space is left.
    case full
    /// The database does not answer or cannot write. `isOutcomeUnknown`: the commit may have gone through.
    case down(isOutcomeUnknown: Bool)
    /// Another transaction came in between: the same one may succeed now.
    case again
    /// One of the records is to blame, or we are.
    case ofRecord

    init(_ error: any Error) {
        guard let error = error as? SQLError else {
            self = error is CancellationError ? .down(isOutcomeUnknown: true) : .ofRecord
            return
        }
        switch error.code {
        case .full: self = .full
        case .busy, .connection, .corrupt, .readOnly, .networkFileSystem: self = .down(isOutcomeUnknown: false)
        case .io, .outcomeUnknown: self = .down(isOutcomeUnknown: true)
        case .serialization: self = .again
        case .constraint, .syntax, .schema, .other: self = .ofRecord
        }
    }

    /// What the sender is told.
    var cause: RefusalCause {
        switch self {
        case .full: .outOfSpace
        case .down, .again: .backendDown
        case .ofRecord: .internalFailure
        }
    }

    /// Whether the rows may be there in spite of the error.
    var isOutcomeUnknown: Bool { self == .down(isOutcomeUnknown: true) }
}

extension RefusalCause {
    /// The reason when blob store or database failed.
    init(storageError error: any Error) {
        if let failure = error as? CommitFailure {
            self = failure.cause
            return
        }
        guard let error = error as? BlobError else {
            self = DatabaseFailure(error).cause
            return
        }
        switch error.code {
        case .full: self = .outOfSpace
        case .closed, .io, .locked, .exposed, .unavailable, .denied: self = .backendDown
        case .notFound, .outOfBounds, .corrupt: self = .internalFailure
        }
    }
}
