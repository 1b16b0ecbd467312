package import Audit
import Messaging
package import SQLStorage

/// What a change of clients or keys leaves on the audit trail, in the transaction that makes it.
package struct CredentialChange: Sendable {
    private let event: AuditEvent

    /// - Parameters:
    ///   - what: such as "client created".
    ///   - subject: the id of the client or key.
    package init(
        _ what: String, _ subject: String, _ actor: AuditEvent.Actor, _ requestID: String?, _ time: Int64,
        door: String = "access"
    ) {
        event = AuditEvent(
            id: UUIDv7(milliseconds: time).description, time: time, kind: .configurationChange, action: .update,
            outcome: .success, actor: actor, door: door, requestID: requestID,
            details: ["change": what, "subject": subject])
    }

    /// Writes the record.
    package func write(in transaction: any SQLTransaction) throws {
        try AuditLog().append([event], in: transaction)
    }
}
