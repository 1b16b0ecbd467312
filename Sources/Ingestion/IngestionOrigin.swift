package import Access
package import Audit
package import BlobStorage
package import DICOMCore

/// Where an instance comes from and what was asked for it.
package struct IngestionOrigin: Hashable, Sendable {
    /// The way in.
    package enum Door: String, Hashable, Sendable, CaseIterable {
        case stow
        case workflow
        case virtualAE = "vae"
        case cluster
        case upload
    }

    package var door: Door
    package var requestID: String
    /// The network address of the other side.
    package var remoteAddress: String?
    /// Who sent it.
    package var principal: Principal
    /// The study of the request's path: every instance should belong to it.
    package var targetStudy: UID?
    /// The order that the sender named for it.
    package var orderID: String?
    /// The upload that it came in.
    package var uploadKey: UploadKey?

    package init(
        door: Door, requestID: String, remoteAddress: String? = nil, principal: Principal = .anonymous,
        targetStudy: UID? = nil, orderID: String? = nil, uploadKey: UploadKey? = nil
    ) {
        self.door = door
        self.requestID = requestID
        self.remoteAddress = remoteAddress
        self.principal = principal
        self.targetStudy = targetStudy
        self.orderID = orderID
        self.uploadKey = uploadKey
    }
}

extension AuditEvent.Actor {
    /// Who sent it, as the audit trail tells it.
    package init(_ origin: IngestionOrigin) {
        self.init(
            client: origin.principal.client, credentialID: origin.principal.credentialID,
            organization: origin.principal.organization, address: origin.remoteAddress)
    }
}
