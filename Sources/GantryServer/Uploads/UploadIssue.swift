import Access
import BlobStorage
import HTTPTypes
import Hummingbird
import Ingestion
import Messaging

/// `GET /upload`: a presigned URL (uploads.md 2).
struct UploadIssue: Sendable {
    let table: UploadTable
    let landing: any UploadLanding
    let orders: UploadOrders
    let allowance: UploadAllowance
    let configuration: UploadConfiguration
    let room: StorageRoom
    let clock: @Sendable () -> Int64

    private static let parameters: Set<String> = [
        "order_id", "filename", "content_type", "content_length", "sha256", "expires",
    ]

    func answer(_ request: Request, at base: String, context: GantryContext) async throws -> Response {
        let query = try UploadQuery(request, known: Self.parameters)
        let now = clock()
        var announcement = UploadSession.Announcement(
            orderID: query["order_id"], filename: try query["filename"].map(Self.checkedFilename),
            contentType: try query["content_type"].map(UploadMediaType.checked),
            contentLength: try query.number("content_length", in: 1...Int.max),
            sha256: try query["sha256"].map(Self.digest))
        let lifetime = try query.number("expires", in: 1...Int(configuration.longestLifetime / 1000))
            .map { Int64($0) * 1000 }
        if let length = announcement.contentLength, length > landing.limits.object {
            throw Problem(.tooLarge, "One PUT may have \(landing.limits.object) bytes; more go in parts.")
        }
        let expiresAt = now + (lifetime ?? min(configuration.lifetime, configuration.longestLifetime))
        announcement.orderID = try await checkedOrder(announcement.orderID, context)
        try checkRoom()
        let session = UploadSession(
            key: UploadKey(milliseconds: now), owner: UploadSession.Owner(context.principal),
            announcement: announcement, requestID: context.requestID, remoteAddress: context.remoteAddress,
            issuedAt: now, expiresAt: expiresAt)
        let grant = try await allowance.withGrant(for: context.principal.client) {
            try await table.issue(session)
            return try await landing.grant(
                session.key,
                UploadConstraints(
                    contentLength: announcement.contentLength, sha256: announcement.sha256,
                    contentType: announcement.contentType, expiresAt: expiresAt))
        }
        var members = JSONMembers()
        members.add("url", grant.url(at: base))
        members.add("key", session.key.description)
        members.add("method", UploadGrant.method)
        members.add("headers", grant.headerMembers)
        members.add("expires_at", CloudEvent.timestamp(grant.expiresAt))
        members.add("order_id", announcement.orderID)
        return .uploadAnswer(members.object)
    }

    /// The order, if the sender may name it.
    func checkedOrder(_ orderID: String?, _ context: GantryContext) async throws -> String? {
        guard let orderID else { return nil }
        switch try await orders.check(orderID, context.principal) {
        case .accepted: return orderID
        case .unknown: throw Problem(.noSuchUpload, "There is no such order.")
        case .ended: throw Problem(.conflict, "The order has ended and takes no more instances.")
        }
    }

    /// No URLs for what could not be kept (reliability.md D.2, rule 7).
    func checkRoom() throws {
        guard !room.isFull else {
            throw Problem(.insufficientStorage, "The server's disk is filled beyond what its configuration allows.")
        }
    }

    /// A name that can be shown to the sender again.
    static func checkedFilename(_ name: String) throws -> String {
        guard name.utf8.count <= 1024, !name.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F })
        else { throw Problem(.invalidQuery, "The filename has control characters, or more than 1,024 bytes.") }
        return name
    }

    /// 64 hexadecimal digits.
    private static func digest(_ text: String) throws -> [UInt8] {
        let digits = text.lowercased().utf8.map { UInt8($0) }
        let values = digits.compactMap { digit -> UInt8? in
            switch digit {
            case 0x30...0x39: digit - 0x30
            case 0x61...0x66: digit - 0x57
            default: nil
            }
        }
        guard values.count == 64, digits.count == 64 else {
            throw Problem(.invalidQuery, "The parameter sha256 is 64 hexadecimal digits.")
        }
        return stride(from: 0, to: 64, by: 2).map { values[$0] << 4 | values[$0 + 1] }
    }
}

extension UploadGrant {
    /// The whole URL.
    ///
    /// - Parameter base: The server's public address, without a slash at its end.
    func url(at base: String) -> String {
        switch target {
        case .gateway(let path): base + path
        case .url(let url): url
        }
    }

    /// The header fields as a JSON object.
    var headerMembers: JSONMembers {
        var members = JSONMembers()
        for (name, value) in headers { members.add(named: name, value) }
        return members
    }
}
