package import Access
import Audit
package import DICOMCore

/// Who asks something of an order, and in which request.
package struct OrderRequester: Sendable {
    package var principal: Principal
    /// The network address of the other side.
    package var address: String?
    package var requestID: String?

    package init(principal: Principal, address: String? = nil, requestID: String? = nil) {
        self.principal = principal
        self.address = address
        self.requestID = requestID
    }

    var cause: OrderJournal.Cause {
        OrderJournal.Cause(
            actor: AuditEvent.Actor(
                client: principal.client, credentialID: principal.credentialID, organization: principal.organization,
                address: address),
            door: "orders", requestID: requestID)
    }
}

/// An order as callers name it.
package enum OrderReference: Hashable, Sendable {
    case id(OrderID)
    /// The newest order of the study.
    case study(UID)
}
