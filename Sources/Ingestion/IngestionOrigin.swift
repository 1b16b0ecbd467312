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
    /// The client or subject that the credential names.
    package var principal: String?
    /// The study of the request's path: every instance should belong to it.
    package var targetStudy: UID?

    package init(
        door: Door, requestID: String, remoteAddress: String? = nil, principal: String? = nil, targetStudy: UID? = nil
    ) {
        self.door = door
        self.requestID = requestID
        self.remoteAddress = remoteAddress
        self.principal = principal
        self.targetStudy = targetStudy
    }
}
