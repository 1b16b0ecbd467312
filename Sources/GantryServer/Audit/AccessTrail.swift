import Access
import Audit
import Ingestion
import Messaging
import Synchronization

/// Notes uses of credentials and refusals for the audit trail. Nobody waits for it: ``TrailWriter`` writes a moment later
/// what came together, and says so when there was more than it could hold.
///
/// Of a credential that goes on being used from one address there is a record a minute; what it did has records of its
/// own.
final class AccessTrail: Sendable {
    private struct Note: Hashable {
        var kind: AuditEvent.Kind
        var outcome: AuditEvent.Outcome
        var text: String?
        var actor: AuditEvent.Actor
        var details: [String: String] = [:]
        var door = "access"
    }

    private struct Times {
        var time: Int64
        var requestID: String
        var requests: Int
    }

    private struct State {
        var notes: [Note: Times] = [:]
        var dropped = 0
        /// When the use of a credential was noted last.
        var uses: [AuditEvent.Actor: Int64] = [:]
    }

    private let state = Mutex(State())
    private let clock: @Sendable () -> Int64
    private let limit: Int
    private static let useInterval: Int64 = 60_000

    /// - Parameter limit: most kinds of notes between two writes.
    init(clock: @escaping @Sendable () -> Int64, limit: Int = 4096) {
        self.clock = clock
        self.limit = limit
    }

    /// A credential was taken.
    func noteUse(_ principal: Principal, context: GantryContext) {
        let actor = AuditEvent.Actor(principal, address: context.remoteAddress)
        let now = clock()
        state.withLock { state in
            if let last = state.uses[actor], now - last < Self.useInterval { return }
            if state.uses.count >= limit { state.uses = [:] }
            state.uses[actor] = now
            add(Note(kind: .credentialUse, outcome: .success, actor: actor), now, context.requestID, &state)
        }
    }

    /// A token was given out.
    func noteToken(_ id: String, to client: Client, scopes: Set<Scope>, context: GantryContext) {
        let actor = AuditEvent.Actor(
            client: client.id, organization: client.organization, address: context.remoteAddress)
        note(
            Note(
                kind: .credentialUse, outcome: .success, actor: actor,
                details: ["token": id, "scope": scopes.text]), context)
    }

    /// A credential was not taken.
    func noteFailure(_ error: AccessError, context: GantryContext) {
        let actor = AuditEvent.Actor(
            client: nil, credentialID: error.claimedID.map { String($0.prefix(64)) }, address: context.remoteAddress)
        switch error.code {
        case .throttled:
            note(Note(kind: .securityAlert, outcome: .seriousFailure, text: error.reason, actor: actor), context)
        case .malformed, .invalid, .expired:
            note(Note(kind: .credentialUse, outcome: .minorFailure, text: error.reason, actor: actor), context)
        case .unavailable:
            note(Note(kind: .credentialUse, outcome: .seriousFailure, text: error.reason, actor: actor), context)
        }
    }

    /// A request was refused that came without a credential, or with one that does not allow it.
    func noteRefusal(_ text: String, _ principal: Principal = .unidentified, context: GantryContext) {
        let actor = AuditEvent.Actor(principal, address: context.remoteAddress)
        note(Note(kind: .requestRefused, outcome: .minorFailure, text: text, actor: actor), context)
    }

    /// A request about uploads was refused.
    ///
    /// - Parameter upload: the upload's key, where there is such an upload: a guessed one is not worth keeping.
    func noteRefusal(_ problem: Problem, upload: String?, context: GantryContext) {
        var details = ["problem": problem.kind.rawValue]
        details["upload"] = upload
        let actor = AuditEvent.Actor(context.principal, address: context.remoteAddress)
        note(
            Note(
                kind: .requestRefused, outcome: .minorFailure, text: problem.detail, actor: actor, details: details,
                door: IngestionOrigin.Door.upload.rawValue), context)
    }

    private func note(_ note: Note, _ context: GantryContext) {
        let now = clock()
        state.withLock { add(note, now, context.requestID, &$0) }
    }

    private func add(_ note: Note, _ now: Int64, _ requestID: String, _ state: inout State) {
        if (state.notes[note]?.requests += 1) == nil {
            guard state.notes.count < limit else {
                state.dropped += 1
                return
            }
            state.notes[note] = Times(time: now, requestID: requestID, requests: 1)
        }
    }

    /// Takes out everything, as records, and how much there was no room for.
    func take() -> (events: [AuditEvent], dropped: Int) {
        let (notes, dropped) = state.withLock { state in
            defer {
                state.notes = [:]
                state.dropped = 0
            }
            return (state.notes, state.dropped)
        }
        let events = notes.sorted { $0.value.time < $1.value.time }.map { note, times in
            var event = AuditEvent(
                id: UUIDv7(milliseconds: times.time).description, time: times.time, kind: note.kind, action: .execute,
                outcome: note.outcome, outcomeText: note.text, actor: note.actor, door: note.door,
                requestID: times.requestID, details: note.details)
            if times.requests > 1 { event.details["requests"] = "\(times.requests)" }
            return event
        }
        return (events, dropped)
    }
}

extension AuditEvent.Actor {
    /// Who it was, as the audit trail tells it.
    init(_ principal: Principal, address: String?) {
        self.init(
            client: principal.client, credentialID: principal.credentialID, organization: principal.organization,
            address: address)
    }

    /// Who asks.
    init(_ context: GantryContext) { self.init(context.principal, address: context.remoteAddress) }
}
