package import Archive
import Audit
package import BlobStorage
import DICOMCore
package import Messaging
import SQLStorage

/// Everything that one commit writes for one instance, made before the transaction so that running the transaction
/// again writes the same.
package struct CommitRecord: Sendable {
    /// What the index, the outbox and the steps get.
    package struct Storing: Sendable {
        package var entry: IndexEntry
        package var instance: CheckedInstance
        package var comparison: DataSetComparison?
        /// What is announced; a replacement gets another type.
        package var event: CloudEvent
    }

    /// What a commit is for.
    package enum Content: Sendable {
        case store(Storing)
        /// Only for the audit trail.
        case refusal(RefusalCause, PartialIdentity?)
    }

    package var content: Content
    /// The blob that has still to be made durable.
    var staged: StagedBlob?
    package var origin: IngestionOrigin
    /// Bytes that came in.
    package var byteCount: Int
    var auditID: UUIDv7
    /// When it came, in milliseconds since 1970.
    package var time: Int64

    /// Where the blob is, once it is durable.
    package private(set) var location: BlobLocation?

    /// Tells where the blob is now.
    mutating func setLocation(_ location: BlobLocation) {
        self.location = location
        guard case .store(var storing) = content else { return }
        storing.entry.location = location
        content = .store(storing)
    }

    init(
        content: Content, staged: StagedBlob?, origin: IngestionOrigin, byteCount: Int, time: Int64
    ) {
        self.content = content
        self.staged = staged
        self.origin = origin
        self.byteCount = byteCount
        self.time = time
        auditID = UUIDv7(milliseconds: time)
    }
}

/// Writes the rows of a batch: index and change rows, outbox, audit trail, and those of the steps.
struct CommitWriter: Sendable {
    let index: ArchiveIndex
    let outbox: Outbox
    let audit: AuditLog
    let steps: [any IngestionStep]

    /// One decision for each record, in their order; none for what only the audit trail gets.
    func write(_ records: [CommitRecord], in transaction: any SQLTransaction) throws -> [StoreDecision?] {
        var entries: [IndexEntry] = []
        entries.reserveCapacity(records.count)
        var comparisons: [Int: DataSetComparison] = [:]
        for case .store(let storing) in records.lazy.map(\.content) {
            if let comparison = storing.comparison { comparisons[entries.count] = comparison }
            entries.append(storing.entry)
        }
        // One time for all: that of the youngest record, for a record may have waited.
        let now = records.map(\.time).max() ?? 0
        var decided =
            entries.isEmpty
            ? [] : try index.store(entries, comparisons: comparisons, now: now, in: transaction)[...]

        var decisions: [StoreDecision?] = []
        decisions.reserveCapacity(records.count)
        var events: [CloudEvent] = []
        var trail = AuditGrouping()
        var recorded: [RecordedInstance] = []
        for record in records {
            switch record.content {
            case .refusal(let cause, let identity):
                trail.add(refused: cause, identity, record)
                decisions.append(nil)
            case .store(let storing):
                guard let decision = decided.popFirst() else { preconditionFailure("one decision for each entry") }
                decisions.append(decision)
                if let type = Self.eventType(of: decision) {
                    var event = storing.event
                    event.type = type
                    events.append(event)
                }
                if !steps.isEmpty, let fate = RecordedInstance.Fate(decision) {
                    recorded.append(RecordedInstance(storing.instance, fate: fate, time: record.time))
                }
                trail.add(decision, storing.instance.identity, record)
            }
        }
        if !recorded.isEmpty { for step in steps { try step.record(recorded, in: transaction) } }
        try outbox.append(events, in: transaction)
        try audit.append(trail.events, in: transaction)
        return decisions
    }

    private static func eventType(of decision: StoreDecision) -> EventType? {
        switch decision {
        case .stored: .instanceStored
        case .replaced: .instanceReplaced
        case .identical, .needsComparison, .conflict: nil
        }
    }
}

/// Audit records of one commit: one for all instances of a request that belong to one study and fared alike.
///
/// So a record lists many instances, and its cost per instance is small. A request whose instances went through
/// several commits has several records, each written together with the instances it tells of.
private struct AuditGrouping {
    private struct Key: Hashable {
        var requestID: String
        var study: String?
        var kind: AuditEvent.Kind
        var action: AuditEvent.Action
        var outcome: AuditEvent.Outcome
        var outcomeText: String?
    }

    private(set) var events: [AuditEvent] = []
    private var positions: [Key: Int] = [:]

    /// PS3.15's Instances Transferred: C is new, R was held already, U alters what was held (security.md C.6).
    mutating func add(_ decision: StoreDecision, _ identity: InstanceIdentity, _ record: CommitRecord) {
        let object = AuditEvent.Object(instance: identity.instance.string, sopClass: identity.sopClass.string)
        switch decision {
        case .needsComparison: return
        case .stored: add(.instancesTransferred, .create, .success, nil, identity.study, object, record)
        case .identical: add(.instancesTransferred, .read, .success, nil, identity.study, object, record)
        case .replaced: add(.instancesTransferred, .update, .success, nil, identity.study, object, record)
        case .conflict(let conflict):
            add(refused: RefusalCause(conflict), PartialIdentity(identity), record)
        }
    }

    /// A bomb is a security alert.
    mutating func add(refused cause: RefusalCause, _ identity: PartialIdentity?, _ record: CommitRecord) {
        let object = identity.map {
            AuditEvent.Object(
                instance: $0.instance.string, sopClass: $0.sopClass.string, failureReason: cause.code)
        }
        let kind: AuditEvent.Kind = if case .tooComplex = cause { .securityAlert } else { .instancesTransferred }
        add(kind, .create, .minorFailure, cause.explanation, identity?.study, object, record)
    }

    private mutating func add(
        _ kind: AuditEvent.Kind, _ action: AuditEvent.Action, _ outcome: AuditEvent.Outcome, _ outcomeText: String?,
        _ study: UID?,
        _ object: AuditEvent.Object?, _ record: CommitRecord
    ) {
        let origin = record.origin
        let key = Key(
            requestID: origin.requestID, study: study?.string, kind: kind, action: action,
            outcome: outcome, outcomeText: outcomeText)
        if let position = positions[key] {
            events[position].byteCount += record.byteCount
            if let object { events[position].objects.append(object) }
            return
        }
        positions[key] = events.count
        events.append(
            AuditEvent(
                id: record.auditID.description, time: record.time, kind: kind, action: action,
                outcome: outcome, outcomeText: outcomeText,
                actor: AuditEvent.Actor(origin),
                door: origin.door.rawValue, requestID: origin.requestID, study: study?.string,
                objects: object.map { [$0] } ?? [], byteCount: record.byteCount))
    }
}

extension RecordedInstance.Fate {
    /// What steps are told of a decision; `nil` where the instance is not held.
    fileprivate init?(_ decision: StoreDecision) {
        switch decision {
        case .stored: self = .new
        case .replaced: self = .replaced
        case .identical: self = .identical
        case .needsComparison, .conflict: return nil
        }
    }
}

extension PartialIdentity {
    init(_ identity: InstanceIdentity) {
        self.init(sopClass: identity.sopClass, instance: identity.instance, study: identity.study)
    }
}

extension RefusalCause {
    init(_ conflict: ConflictCause) {
        switch conflict {
        case .otherContent, .otherParent: self = .duplicate
        case .otherClass: self = .classConflict
        }
    }
}
