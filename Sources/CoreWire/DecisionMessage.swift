package import Archive
package import BlobStorage
package import Ingestion

/// What became of one record, on its way back to the process that sent it.
package struct DecisionMessage: Codable, Sendable {
    package enum Outcome: String, Codable, Sendable {
        case stored, replaced, identical, needsComparison, conflict, noted, failed
    }

    package var outcome: Outcome
    package var notes: StoreNotes?
    /// The file that was replaced, or that is held already.
    package var location: BlobLocation?
    /// What is held under this SOP Instance UID.
    package var held: StoredInstance?
    package var conflict: ConflictCause?
    package var cause: RefusalCause?
    /// Of a failure: the rows may be there all the same.
    package var isOutcomeUnknown: Bool?

    private init(outcome: Outcome) { self.outcome = outcome }

    package init(_ answer: CommitAnswer) {
        switch answer {
        case .decided(let decision): self.init(decision)
        case .noted: self.init(outcome: .noted)
        case .failed(let cause, let isOutcomeUnknown):
            self.init(outcome: .failed)
            self.cause = cause
            self.isOutcomeUnknown = isOutcomeUnknown
        }
    }

    package init(_ decision: StoreDecision) {
        switch decision {
        case .stored(let notes):
            self.init(outcome: .stored)
            self.notes = notes
        case .replaced(let previous, let notes):
            self.init(outcome: .replaced)
            self.notes = notes
            location = previous
        case .identical(let held):
            self.init(outcome: .identical)
            location = held
        case .needsComparison(let held):
            self.init(outcome: .needsComparison)
            self.held = held
        case .conflict(let cause):
            self.init(outcome: .conflict)
            conflict = cause
        }
    }

    /// The answer that arrived; `nil` when something of it is missing.
    package var answer: CommitAnswer? {
        switch outcome {
        case .stored: notes.map { .decided(.stored($0)) }
        case .replaced:
            if let notes, let location { .decided(.replaced(previous: location, notes)) } else { nil }
        case .identical: location.map { .decided(.identical(at: $0)) }
        case .needsComparison: held.map { .decided(.needsComparison($0)) }
        case .conflict: conflict.map { .decided(.conflict($0)) }
        case .noted: .noted
        case .failed: .failed(cause ?? .internalFailure, isOutcomeUnknown: isOutcomeUnknown ?? true)
        }
    }

    /// Whether the instance is held now.
    package var isHeld: Bool {
        switch outcome {
        case .stored, .replaced, .identical: true
        case .needsComparison, .conflict, .noted, .failed: false
        }
    }
}

/// The answer to several events: a decision for each, in their order.
package struct DecisionList: Codable, Sendable {
    package var version = CommitMessage.version
    package var decisions: [DecisionMessage]

    package init(decisions: [DecisionMessage]) { self.decisions = decisions }
}
