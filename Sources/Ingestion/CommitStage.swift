package import Archive

/// The second stage of a commit: index, change, event and audit rows of instances whose blobs are durable. In this process's
/// database (``DatabaseCommit``), or in another process that has it.
package protocol CommitStage: Sendable {
    /// Writes all that the records are for, together where it can. One answer for each record, in their order.
    func commit(_ records: [CommitRecord]) async -> [CommitAnswer]

    /// The decision that storing would lead to at this time; nothing is written.
    func rehearse(_ storing: CommitRecord.Storing, time: Int64) async throws -> StoreDecision

    /// The database whose own thread can do both stages as one act; `nil` where rows are written elsewhere.
    var onOwnThread: DatabaseCommit? { get }
}

extension CommitStage {
    package var onOwnThread: DatabaseCommit? { nil }
}

/// What a commit came to for one record.
package enum CommitAnswer: Sendable {
    /// The index has decided.
    case decided(StoreDecision)
    /// The audit trail has it.
    case noted
    /// The sender must be told that it is not stored. `isOutcomeUnknown`: the rows may be there all the same.
    case failed(RefusalCause, isOutcomeUnknown: Bool)
}

/// A decision that could not be had, for a reason that senders can be told.
package struct CommitFailure: Error, Hashable, Sendable {
    package var cause: RefusalCause

    package init(_ cause: RefusalCause) { self.cause = cause }
}
