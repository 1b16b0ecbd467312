import DICOMCore
import SQLStorage

/// A series' row during one transaction, with what the instances stored in it add.
struct SeriesState {
    let id: Int64
    let isNew: Bool
    /// The ordinal given to the last instance.
    var ordinal: Int64
    /// The document that the instances' documents are differences from, once it was read.
    var template: AttributeFragments?
    private(set) var isChanged = false

    private var instanceCount: Int64
    private var keys: SeriesKeys?
    private var attributes: AttributeFragments
    private var areAttributesChanged = false
    private var lastSeen: AttributeFragments?
    private var sopClasses: ValueList
    private var addedInstances: Int64 = 0
    private var version: Int64 = 0

    static func find(_ uid: UID, study: Int64, in transaction: any SQLTransaction) throws -> SeriesState? {
        try transaction.first(
            """
            SELECT id, last_ordinal, instance_count, attributes, sop_classes FROM series
            WHERE uid = \(uid.string) AND study_id = \(study)
            """
        ) { row in
            SeriesState(
                id: row.int(0), isNew: false, ordinal: row.int(1), instanceCount: row.int(2), keys: nil,
                attributes: AttributeFragments(decoding: row.bytes(3)), sopClasses: ValueList(text: row.text(4)))
        }
    }

    /// Inserts the row; `nil` when another transaction did.
    static func make(_ entry: IndexEntry, study: Int64, in transaction: any SQLTransaction) throws -> SeriesState? {
        let keys = entry.seriesKeys
        let id = try transaction.first(
            """
            INSERT INTO series (study_id, uid, modality, number, description, body_part, series_date, series_time,
                procedure_step_date, procedure_step_time, sop_classes, instance_count, last_ordinal, version,
                attributes)
            VALUES (\(study), \(entry.identity.series.string), \(keys.modality), \(keys.number ?? ArchiveSchema.noNumber), \(keys.description),
                \(keys.bodyPart), \(keys.date), \(keys.time), \(keys.procedureStepDate), \(keys.procedureStepTime),
                '', 0, 0, 0, \(entry.seriesAttributes.bytes))
            ON CONFLICT (uid, study_id) DO NOTHING RETURNING id
            """
        ) { $0.int(0) }
        guard let id else { return nil }
        try writeRequests(keys.requests, series: id, in: transaction)
        return SeriesState(
            id: id, isNew: true, ordinal: 0, instanceCount: 0, keys: keys, attributes: entry.seriesAttributes,
            sopClasses: ValueList(text: ""))
    }

    private init(
        id: Int64, isNew: Bool, ordinal: Int64, instanceCount: Int64, keys: SeriesKeys?,
        attributes: AttributeFragments, sopClasses: ValueList
    ) {
        self.id = id
        self.isNew = isNew
        self.ordinal = ordinal
        self.instanceCount = instanceCount
        self.keys = keys
        self.attributes = attributes
        self.sopClasses = sopClasses
    }

    /// Counts a new instance. Tells whether the series has got attributes from it.
    mutating func add(_ entry: IndexEntry, change: Int64) -> Bool {
        isChanged = true
        version = change
        instanceCount += 1
        addedInstances += 1
        _ = sopClasses.insert(entry.identity.sopClass.string)
        return fill(from: entry)
    }

    /// Takes over the attributes of an instance that replaced another.
    mutating func replace(_ entry: IndexEntry, change: Int64) {
        isChanged = true
        version = change
        _ = sopClasses.insert(entry.identity.sopClass.string)
        if instanceCount == 1 {
            keys = entry.seriesKeys
            attributes = entry.seriesAttributes
            areAttributesChanged = true
        } else {
            _ = fill(from: entry)
        }
    }

    private mutating func fill(from entry: IndexEntry) -> Bool {
        guard entry.seriesAttributes != attributes, entry.seriesAttributes != lastSeen else { return false }
        lastSeen = entry.seriesAttributes
        guard attributes.lacksSomething(of: entry.seriesAttributes) else { return false }
        attributes = attributes.filled(from: entry.seriesAttributes)
        if keys == nil { keys = entry.seriesKeys } else { keys?.fill(from: entry.seriesKeys) }
        areAttributesChanged = true
        return true
    }

    /// Brings the row up to date.
    func write(in transaction: any SQLTransaction) throws {
        try transaction.enqueue(
            """
            UPDATE series SET instance_count = instance_count + \(addedInstances), last_ordinal = \(ordinal),
                sop_classes = \(sopClasses.text), version = \(version)
            WHERE id = \(id)
            """)
        guard areAttributesChanged, let given = keys else { return }
        var keys = given
        if !isNew, instanceCount > 1 { keys = try Self.keys(of: id, in: transaction, filledFrom: given) }
        try transaction.enqueue(
            """
            UPDATE series SET modality = \(keys.modality), number = \(keys.number ?? ArchiveSchema.noNumber),
                description = \(keys.description), body_part = \(keys.bodyPart), series_date = \(keys.date),
                series_time = \(keys.time), procedure_step_date = \(keys.procedureStepDate),
                procedure_step_time = \(keys.procedureStepTime), attributes = \(attributes.bytes)
            WHERE id = \(id)
            """)
        try transaction.enqueue("DELETE FROM series_requests WHERE series_id = \(id)")
        try Self.writeRequests(keys.requests, series: id, in: transaction)
    }

    /// The keys of the row, with those of `other` where the row's are empty.
    private static func keys(
        of id: Int64, in transaction: any SQLTransaction, filledFrom other: SeriesKeys
    ) throws -> SeriesKeys {
        let stored = try transaction.first(
            """
            SELECT modality, number, description, body_part, series_date, series_time, procedure_step_date,
                procedure_step_time
            FROM series WHERE id = \(id)
            """
        ) { row in
            var keys = SeriesKeys(DataSet())
            keys.modality = row.text(0)
            keys.number = ArchiveSchema.number(row.int(1))
            keys.description = row.text(2)
            keys.bodyPart = row.text(3)
            keys.date = row.int(4)
            keys.time = row.int(5)
            keys.procedureStepDate = row.int(6)
            keys.procedureStepTime = row.int(7)
            return keys
        }
        guard var keys = stored else { throw ArchiveError.rowVanished }
        keys.requests = try transaction.rows(
            """
            SELECT scheduled_step_id, requested_procedure_id FROM series_requests
            WHERE series_id = \(id) ORDER BY item
            """
        ) { SeriesKeys.Request(scheduledStepID: $0.text(0), requestedProcedureID: $0.text(1)) }
        keys.fill(from: other)
        return keys
    }

    private static func writeRequests(
        _ requests: [SeriesKeys.Request], series: Int64, in transaction: any SQLTransaction
    ) throws {
        for (item, request) in requests.enumerated() {
            try transaction.enqueue(
                """
                INSERT INTO series_requests (series_id, item, scheduled_step_id, requested_procedure_id)
                VALUES (\(series), \(Int64(item)), \(request.scheduledStepID), \(request.requestedProcedureID))
                """)
        }
    }
}
