package import Archive
import Audit
package import DICOMCore
import Messaging
package import SQLStorage

/// What a deletion leaves in the outbox and in the audit trail, written in the transaction that deletes.
package struct DeletionRecord: Sendable {
    private let event: CloudEvent
    private let audit: AuditEvent

    /// - Parameters:
    ///   - series: `nil` when the whole study goes; likewise `instance`.
    ///   - time: in milliseconds since 1970.
    package init(
        study: UID, series: UID?, instance: UID?, origin: IngestionOrigin, eventSource: String, time: Int64
    ) {
        var subject = "studies/\(study)"
        var data = EventData()
        data.add("study", study.string)
        if let series {
            subject += "/series/\(series)"
            data.add("series", series.string)
        }
        if let instance {
            subject += "/instances/\(instance)"
            data.add("instance", instance.string)
        }
        event = CloudEvent(
            id: UUIDv7(milliseconds: time), source: eventSource, type: .resourceDeleted, subject: subject, time: time,
            partitionKey: study.string, data: data.bytes)
        audit = AuditEvent(
            id: UUIDv7(milliseconds: time).description, time: time,
            kind: series == nil ? .studyDeleted : .instancesAccessed,
            action: .delete,
            outcome: .success, actor: AuditEvent.Actor(origin),
            door: origin.door.rawValue, requestID: origin.requestID, study: study.string)
    }

    /// Writes the rows.
    package func write(_ deletion: Deletion, in transaction: any SQLTransaction) throws {
        var record = audit
        record.objects = deletion.instances.map {
            AuditEvent.Object(instance: $0.instance.string, sopClass: $0.sopClass.string)
        }
        try Outbox().append([event], in: transaction)
        try AuditLog().append([record], in: transaction)
    }
}
