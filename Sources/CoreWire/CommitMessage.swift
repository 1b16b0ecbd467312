import Access
package import Archive
import BlobStorage
package import DICOMCore
package import FoundationEssentials
package import Ingestion

/// One record of a commit on its way to the process that has the database: the member `gantry` of an `ImageStoredEvent`,
/// or all of an event of type ``refusalType``.
package struct CommitMessage: Codable, Sendable {
    /// Of the wire. A process takes messages of the versions that it knows.
    package static let version = 1
    /// Asks what storing an instance would lead to.
    package static let rehearsalType = "gantry.dicom.instance.rehearsed.v1"
    /// Tells of an instance that was refused, for the audit trail.
    package static let refusalType = "gantry.dicom.instance.refused.v1"

    package struct Refusal: Codable, Hashable, Sendable {
        package var cause: RefusalCause
        package var identity: PartialIdentity?
    }

    package struct Comparison: Codable, Hashable, Sendable {
        package var storedDigest: Data
        package var isSame: Bool
    }

    package struct Origin: Codable, Hashable, Sendable {
        package var door: String
        package var requestID: String
        package var remoteAddress: String?
        package var client: String?
        package var credentialID: String?
        package var organization: String?
        package var targetStudy: UID?
        package var orderID: String?
    }

    package var version = Self.version
    package var entry: IndexEntry?
    package var refusal: Refusal?
    package var comparison: Comparison?
    package var origin: Origin
    package var byteCount: Int
    package var time: Int64
    /// Whether only the decision is wanted.
    package var isRehearsal: Bool?
}

extension CommitMessage {
    /// What is to be sent of a record.
    package init(_ record: CommitRecord) {
        self.init(origin: Origin(record.origin), byteCount: record.byteCount, time: record.time)
        switch record.content {
        case .store(let storing):
            entry = storing.entry
            comparison = storing.comparison.map { Comparison(storedDigest: Data($0.storedDigest), isSame: $0.isSame) }
        case .refusal(let cause, let identity):
            refusal = Refusal(cause: cause, identity: identity)
        }
    }

    /// What is to be sent to learn what storing would lead to.
    package init(rehearsing storing: CommitRecord.Storing, time: Int64) {
        self.init(origin: Origin(storing.instance.origin), byteCount: storing.entry.length, time: time)
        entry = storing.entry
        // Nothing is stored: where the blob would be is not known, and does not matter.
        entry?.location = BlobLocation(.memory(0), length: storing.entry.length)
        comparison = storing.comparison.map { Comparison(storedDigest: Data($0.storedDigest), isSame: $0.isSame) }
        isRehearsal = true
    }

    private init(origin: Origin, byteCount: Int, time: Int64) {
        self.origin = origin
        self.byteCount = byteCount
        self.time = time
    }

    /// The record that arrived; `nil` for what no process of ours sends.
    ///
    /// - Parameter now: milliseconds since 1970. No record is taken for younger than this, or for older than a day.
    package func record(in intake: CommitIntake, now: Int64) throws -> CommitRecord? {
        guard version == Self.version, let origin = origin.checked, byteCount >= 0, byteCount <= 1 << 50 else {
            return nil
        }
        let time = min(max(time, now - 86_400_000), now)
        switch (entry, refusal) {
        case (let entry?, nil):
            if let comparison, comparison.storedDigest.count != 32, !comparison.storedDigest.isEmpty { return nil }
            return try intake.record(
                of: entry,
                comparison: comparison.map {
                    DataSetComparison(storedDigest: Array($0.storedDigest), isSame: $0.isSame)
                }, origin: origin, byteCount: byteCount, time: time)
        case (nil, let refusal?):
            if case .bulkDataUnusable(let text) = refusal.cause, !text.isLine(atMost: 200) { return nil }
            return intake.record(
                of: refusal.cause, refusal.identity, origin: origin, byteCount: byteCount, time: time)
        default: return nil
        }
    }
}

extension CommitMessage.Origin {
    init(_ origin: IngestionOrigin) {
        self.init(
            door: origin.door.rawValue, requestID: origin.requestID, remoteAddress: origin.remoteAddress,
            client: origin.principal.client, credentialID: origin.principal.credentialID,
            organization: origin.principal.organization, targetStudy: origin.targetStudy,
            orderID: origin.orderID)
    }

    /// The origin for the audit trail; what the principal may do has been looked at where it asked.
    var checked: IngestionOrigin? {
        guard let door = IngestionOrigin.Door(rawValue: door),
            [requestID, remoteAddress, client, credentialID, organization, orderID].compactMap(\.self).allSatisfy({
                $0.isLine(atMost: 256)
            })
        else { return nil }
        return IngestionOrigin(
            door: door, requestID: requestID, remoteAddress: remoteAddress,
            principal: Principal(
                client: client, credentialID: credentialID, organization: organization, scopes: [.dicomwebStore]),
            targetStudy: targetStudy, orderID: orderID)
    }
}

extension String {
    /// Whether this is short and has no control characters.
    func isLine(atMost length: Int) -> Bool {
        utf8.count <= length && utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
    }
}
