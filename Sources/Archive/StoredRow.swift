import BlobStorage
import DICOMCore
import SQLStorage

/// An instance's row with its number.
struct StoredRow: Sendable {
    var id: Int64
    var instance: StoredInstance

    /// The row of a SOP Instance UID.
    static func find(_ uid: UID, in transaction: any SQLTransaction) throws -> StoredRow? {
        try transaction.first(
            SQLStatement(
                """
                SELECT i.id, i.uid, i.sop_class, i.number, i.location, i.length, i.transfer_syntax, i.data_set_offset,
                    i.is_faithful, i.digest, i.frame_layout, i.version, i.stored_at, se.uid, st.uid
                FROM instances i JOIN series se ON se.id = i.id >> 24 JOIN studies st ON st.id = se.study_id
                WHERE i.uid = $1
                """, [.text(uid.string)]), StoredRow.init(row:))
    }

    /// All rows of a series, in instance number order.
    static func all(
        ofSeries id: Int64, study: UID, series: UID, in transaction: any SQLTransaction
    ) throws -> [StoredRow] {
        let first = id << ArchiveSchema.ordinalBits
        let last = first | ArchiveSchema.maximumOrdinal
        return try transaction.rows(
            """
            SELECT id, uid, sop_class, number, location, length, transfer_syntax, data_set_offset,
                is_faithful, digest, frame_layout, version, stored_at
            FROM instances WHERE id BETWEEN \(first) AND \(last)
            ORDER BY number, uid
            """
        ) { try StoredRow(row: $0, study: study, series: series) }
    }

    /// Reads the columns of `find`.
    private init(row: any SQLRow) throws {
        guard let series = UID(row.text(13)), let study = UID(row.text(14)) else { throw ArchiveError.unreadableRow }
        try self.init(row: row, study: study, series: series)
    }

    /// Reads the columns of `all`.
    private init(row: any SQLRow, study: UID, series: UID) throws {
        guard let instance = UID(row.text(1)), let sopClass = UID(row.text(2)) else {
            throw ArchiveError.unreadableRow
        }
        guard let location = BlobLocation(rawValue: row.text(4)) else { throw ArchiveError.unreadableRow }
        id = row.int(0)
        self.instance = StoredInstance(
            identity: InstanceIdentity(study: study, series: series, instance: instance, sopClass: sopClass),
            location: location, length: Int(row.int(5)), transferSyntaxUID: row.text(6),
            dataSetOffset: Int(row.int(7)), isFaithful: row.int(8) != 0, digest: row.bytes(9),
            frameLayout: row.bytes(10), instanceNumber: ArchiveSchema.number(row.int(3)), version: row.int(11),
            storedAt: row.int(12))
    }
}
