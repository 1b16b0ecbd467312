import Audit
import BlobStorage
import FoundationEssentials
import Messaging
import SQLStorage

extension UploadSession {
    /// Reads a row of the table; `nil` for one that no version of ours wrote.
    init?(_ row: any SQLRow) throws {
        guard let key = UploadKey(row.text(0)), let state = State(rawValue: row.text(1)) else { return nil }
        self.init(
            key: key,
            owner: Owner(
                client: row.optionalText(2), credentialID: row.optionalText(3), organization: row.optionalText(4)),
            announcement: Announcement(
                orderID: row.optionalText(7), filename: row.optionalText(8), contentType: row.optionalText(9),
                contentLength: row.optionalInt(10).map { Int($0) }, sha256: row.optionalBytes(11)),
            parts: row.optionalText(12).map { Parts(id: $0, size: Int(row.int(13))) },
            requestID: row.text(6), remoteAddress: row.optionalText(5), issuedAt: row.int(14), expiresAt: row.int(15))
        self.state = state
        receivedAt = row.optionalInt(16)
        endedAt = row.optionalInt(17)
        changedAt = row.int(18)
        bytes = row.optionalInt(19).map { Int($0) }
        etag = row.optionalText(20)
        attempts = Int(row.int(21))
        result.instances = Int(row.int(22))
        result.studies = row.text(23).split(separator: " ").map(String.init)
        result.failures = try row.optionalText(24).map(UploadFailure.list) ?? []
        result.failureCount = Int(row.int(25))
    }
}

extension UploadFailure {
    /// The failures as JSON; `nil` when there are none.
    static func json(_ failures: [UploadFailure]) throws -> String? {
        guard !failures.isEmpty else { return nil }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(failures), as: UTF8.self)
    }

    static func list(_ json: String) throws -> [UploadFailure] {
        try JSONDecoder().decode([UploadFailure].self, from: Data(json.utf8))
    }
}

extension UploadResult {
    /// Whether the refusal was a guard's, so that somebody should look.
    var isAlert: Bool { failures.contains { ArchiveBreach.codes.contains($0.code) } }
}

extension AuditEvent {
    /// What the audit trail tells of an upload: its key and order, never the URL or the name of the file.
    init(_ session: UploadSession, _ kind: Kind, _ action: Action, at time: Int64) {
        var details = ["upload": session.key.description]
        if let orderID = session.announcement.orderID { details["order"] = orderID }
        self.init(
            id: UUIDv7(milliseconds: time).description, time: time, kind: kind, action: action, outcome: .success,
            actor: Actor(
                client: session.owner.client, credentialID: session.owner.credentialID,
                organization: session.owner.organization, address: session.remoteAddress),
            door: IngestionOrigin.Door.upload.rawValue, requestID: session.requestID, details: details)
    }
}
