/// One thing that somebody did, as the audit trail keeps it (PS3.15 A.5; FHIR AuditEvent).
///
/// It holds identifiers, never names of patients, secrets or signed URLs. The wire forms (PS3.15 A.5 messages, FHIR)
/// are made from it when it is read.
package struct AuditEvent: Hashable, Sendable, Codable {
    /// A UUIDv7 in text, made once by whoever records the event.
    package var id: String
    /// When it happened, in milliseconds since 1970.
    package var time: Int64
    package var kind: Kind
    package var action: Action
    package var outcome: Outcome
    /// Why it did not succeed, in words that hold no attribute value.
    package var outcomeText: String?
    package var actor: Actor
    /// The door it came through: `stow`, `upload`, `wado` …
    package var door: String
    package var requestID: String?
    package var study: String?
    package var objects: [Object]
    /// How many bytes the objects have together.
    package var byteCount: Int
    /// What else belongs to it: reason of a deletion, order, changed JSON pointers. Never attribute values.
    package var details: [String: String]

    package init(
        id: String, time: Int64, kind: Kind, action: Action, outcome: Outcome, outcomeText: String? = nil,
        actor: Actor, door: String, requestID: String? = nil, study: String? = nil, objects: [Object] = [],
        byteCount: Int = 0, details: [String: String] = [:]
    ) {
        self.id = id
        self.time = time
        self.kind = kind
        self.action = action
        self.outcome = outcome
        self.outcomeText = outcomeText
        self.actor = actor
        self.door = door
        self.requestID = requestID
        self.study = study
        self.objects = objects
        self.byteCount = byteCount
        self.details = details
    }
}

extension AuditEvent {
    /// What happened, in the terms of PS3.16 CID 400 where there is one.
    package enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
        case applicationStart = "application-start"
        case applicationStop = "application-stop"
        case configurationChange = "configuration-change"
        case credentialUse = "credential-use"
        case urlIssued = "url-issued"
        case instancesTransferred = "instances-transferred"
        case query = "query"
        case retrieve = "retrieve"
        case studyDeleted = "study-deleted"
        case orderRecord = "order-record"
        case securityAlert = "security-alert"
        case auditLogUsed = "audit-log-used"
        case requestRefused = "request-refused"
        /// Instances were removed, but not their study (110103 with action D).
        case instancesAccessed = "instances-accessed"
        /// Reads are missing on the trail.
        case recordsLost = "records-lost"
    }

    /// Create, read, update, delete or execute (PS3.15 A.5.2.1, EventActionCode).
    package enum Action: String, Hashable, Sendable, Codable {
        case create = "C"
        case read = "R"
        case update = "U"
        case delete = "D"
        case execute = "E"
    }

    /// How it ended (PS3.15 A.5.2.1, EventOutcomeIndicator).
    package enum Outcome: Int, Hashable, Sendable, Codable {
        case success = 0
        case minorFailure = 4
        case seriousFailure = 8
        case majorFailure = 12
    }

    /// Who did it.
    package struct Actor: Hashable, Sendable, Codable {
        /// The client, key or subject that the credential names; `nil` when the request carried none.
        package var client: String?
        /// The key or token id, never its content.
        package var credentialID: String?
        package var organization: String?
        /// The network address of the other side.
        package var address: String?

        package init(
            client: String? = nil, credentialID: String? = nil, organization: String? = nil, address: String? = nil
        ) {
            self.client = client
            self.credentialID = credentialID
            self.organization = organization
            self.address = address
        }
    }

    /// One instance that was acted upon; the study is the event's.
    package struct Object: Hashable, Sendable, Codable {
        /// SOP Instance UID.
        package var instance: String
        /// `nil` where only the instance was named.
        package var sopClass: String?
        /// Failure reason (0008,1197) when the instance was refused.
        package var failureReason: UInt16?

        package init(instance: String, sopClass: String? = nil, failureReason: UInt16? = nil) {
            self.instance = instance
            self.sopClass = sopClass
            self.failureReason = failureReason
        }
    }
}
