package import Access
package import BlobStorage

/// One upload from the issue of its URL to its end: a row of the table of uploads.
package struct UploadSession: Hashable, Sendable {
    /// Where an upload is on its way (uploads.md 2).
    package enum State: String, Hashable, Sendable, CaseIterable {
        /// Its URL is out, and nothing has come.
        case issued
        /// The object is there and waits for its turn.
        case received
        /// A process is busy with it.
        case ingesting
        /// At least one instance is held, or was held already.
        case stored
        /// Nothing of it was taken; the object is in quarantine for a time.
        case rejected
        /// Nothing came in time.
        case expired

        /// Whether nothing more happens, except that something comes late.
        package var isEnded: Bool {
            switch self {
            case .issued, .received, .ingesting: false
            case .stored, .rejected, .expired: true
            }
        }

        /// The states from which it is reached. What was begun in time and ended late is received although its URL had expired; what cannot be
        /// ingested now waits again.
        package var predecessors: [State] {
            switch self {
            case .issued: []
            case .received: [.issued, .expired, .ingesting]
            case .ingesting: [.received, .ingesting]
            case .stored, .rejected: [.ingesting]
            case .expired: [.issued]
            }
        }
    }

    /// Whose it is, as the credential said that asked for the URL.
    package struct Owner: Hashable, Sendable {
        package var client: String?
        package var credentialID: String?
        package var organization: String?

        package init(client: String?, credentialID: String?, organization: String?) {
            self.client = client
            self.credentialID = credentialID
            self.organization = organization
        }

        package init(_ principal: Principal) {
            self.init(
                client: principal.client, credentialID: principal.credentialID, organization: principal.organization)
        }

        /// The owner as one who sends instances.
        package var principal: Principal {
            Principal(client: client, credentialID: credentialID, organization: organization, scopes: [.upload])
        }

        /// Whether somebody may know of the owner's uploads: oneself, the administrators of the organization, and those who may do everything. For
        /// all others they are not there.
        package func isVisible(to principal: Principal) -> Bool {
            if client == principal.client { return true }
            if let organization, organization == principal.organization,
                principal.roles.contains(Principal.organizationAdministrator)
            {
                return true
            }
            return principal.client != nil && principal.scopes.contains(.admin)
        }
    }

    /// What the sender said when it asked for the URL; all of it is optional.
    package struct Announcement: Hashable, Sendable {
        /// The order that the instances belong to.
        package var orderID: String?
        /// Shown to the sender again, and used for nothing else: it may tell who the patient is.
        package var filename: String?
        package var contentType: String?
        package var contentLength: Int?
        /// SHA-256, 32 bytes.
        package var sha256: [UInt8]?

        package init(
            orderID: String? = nil, filename: String? = nil, contentType: String? = nil, contentLength: Int? = nil,
            sha256: [UInt8]? = nil
        ) {
            self.orderID = orderID
            self.filename = filename
            self.contentType = contentType
            self.contentLength = contentLength
            self.sha256 = sha256
        }
    }

    /// That it comes in parts.
    package struct Parts: Hashable, Sendable {
        /// The landing's name for it.
        package var id: String
        /// Bytes of every part but the last.
        package var size: Int

        package init(id: String, size: Int) {
            self.id = id
            self.size = size
        }
    }

    package var key: UploadKey
    package var state: State
    package var owner: Owner
    package var announcement: Announcement
    package var parts: Parts?
    /// The request that asked for the URL, and where it came from.
    package var requestID: String
    package var remoteAddress: String?
    /// Times in milliseconds since 1970.
    package var issuedAt: Int64
    package var expiresAt: Int64
    package var receivedAt: Int64?
    package var endedAt: Int64?
    package var changedAt: Int64
    /// What is known of the object, once it is there.
    package var bytes: Int?
    package var etag: String?
    /// How often somebody began to ingest it.
    package var attempts: Int
    package var result: UploadResult

    /// An upload whose URL is about to be issued.
    package init(
        key: UploadKey, owner: Owner, announcement: Announcement, parts: Parts? = nil, requestID: String,
        remoteAddress: String?, issuedAt: Int64, expiresAt: Int64
    ) {
        self.key = key
        self.owner = owner
        self.announcement = announcement
        self.parts = parts
        self.requestID = requestID
        self.remoteAddress = remoteAddress
        self.issuedAt = issuedAt
        self.expiresAt = expiresAt
        state = .issued
        changedAt = issuedAt
        attempts = 0
        result = UploadResult()
    }

    /// The upload in parts as the landing knows it.
    package var multipart: MultipartUpload? { parts.map { MultipartUpload(key: key, id: $0.id) } }

    /// Where its instances come from.
    var origin: IngestionOrigin {
        IngestionOrigin(
            door: .upload, requestID: requestID, remoteAddress: remoteAddress, principal: owner.principal,
            orderID: announcement.orderID, uploadKey: key)
    }
}
