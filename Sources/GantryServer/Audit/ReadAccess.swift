import Audit
import DICOMCore
import DICOMWeb
import Messaging

/// A search or a retrieval as the audit trail tells of it (PS3.15 A.5.3.10 Query, A.5.3.3 DICOM Instances Accessed): who,
/// when, on what, with which result. Of a query the names of its keys, never their values.
///
/// What is alike but for the instance is told in one record, with how many requests it was.
struct ReadAccess: Hashable, Sendable {
    enum Subject: Hashable, Sendable {
        case query(QueryLevel, study: UID?, series: UID?, keys: [AttributePath])
        case retrieval(RouteName, study: UID, series: UID?)
    }

    var subject: Subject
    var outcome: AuditEvent.Outcome
    var actor: AuditEvent.Actor
}

/// Reads that are alike, from the first of them on.
struct ReadAccesses: Sendable {
    let access: ReadAccess
    let time: Int64
    let requestID: String
    var requests = 1
    var byteCount = 0
    var instances: Set<UID> = []

    /// The record.
    var event: AuditEvent {
        var event = AuditEvent(
            id: UUIDv7(milliseconds: time).description, time: time, kind: .query, action: .execute,
            outcome: access.outcome, actor: access.actor, door: "qido",
            requestID: requestID, byteCount: byteCount)
        switch access.subject {
        case .query(let level, let study, let series, let keys):
            event.study = study?.string
            event.details["level"] = "\(level)"
            event.details["series"] = series?.string
            if !keys.isEmpty { event.details["keys"] = keys.map(\.description).joined(separator: ",") }
        case .retrieval(let route, let study, let series):
            event.kind = .retrieve
            event.action = .read
            event.door = "wado"
            event.study = study.string
            event.details["resource"] = route.rawValue
            event.details["series"] = series?.string
            event.objects = instances.sorted().map { AuditEvent.Object(instance: $0.string) }
        }
        if requests > 1 { event.details["requests"] = "\(requests)" }
        return event
    }
}
