import DICOMCore
import SQLStorage

/// A study's row during one transaction, with what the instances stored in it add.
struct StudyState {
    let id: Int64
    let uid: UID
    let firstStoredAt: Int64
    /// Whether the row was made in this transaction.
    let isNew: Bool
    /// Whether some of the study was deleted once.
    let hasTombstones: Bool
    /// Whether no instance was counted yet.
    var isUncounted: Bool
    private(set) var instanceCount: Int64
    var addedSeries: Int64 = 0
    private(set) var isChanged = false

    private var keys: StudyKeys
    private var attributes: AttributeFragments
    private var areAttributesChanged = false
    /// The attributes of the last entry that were found to add nothing.
    private var lastSeen: AttributeFragments?
    private var modalities: ValueList
    private var sopClasses: ValueList
    private var areListsChanged = false
    private var needsModalities = false
    private var addedInstances: Int64 = 0
    private var version: Int64 = 0

    static func find(_ uid: UID, in transaction: any SQLTransaction) throws -> StudyState? {
        let row = try transaction.first(
            """
            SELECT id, first_stored_at, instance_count, attributes, modalities, sop_classes, patient_id,
                CASE WHEN EXISTS (SELECT 1 FROM tombstones WHERE study_uid = \(uid.string)) THEN 1 ELSE 0 END
            FROM studies WHERE uid = \(uid.string)
            """
        ) { row in
            StudyState(
                id: row.int(0), uid: uid, firstStoredAt: row.int(1), isNew: false, hasTombstones: row.int(7) != 0,
                isUncounted: false, instanceCount: row.int(2), keys: StudyKeys(patientID: row.text(6)),
                attributes: AttributeFragments(decoding: row.bytes(3)), modalities: ValueList(text: row.text(4)),
                sopClasses: ValueList(text: row.text(5)))
        }
        return row
    }

    /// Inserts the row; `nil` when another transaction did.
    static func make(_ entry: IndexEntry, in transaction: any SQLTransaction) throws -> StudyState? {
        let keys = entry.studyKeys
        let uid = entry.identity.study
        let name = keys.patientName
        let referring = keys.referringPhysician
        let id = try transaction.first(
            """
            INSERT INTO studies (uid, patient_id, patient_id_issuer,
                patient_name, patient_name_ideographic, patient_name_phonetic, patient_name_codes,
                patient_birth_date, patient_sex, study_date, study_time, accession_number,
                referring_physician, referring_physician_ideographic, referring_physician_phonetic,
                referring_physician_codes, study_id, description, modalities, sop_classes,
                series_count, instance_count, first_stored_at, version, attributes)
            VALUES (\(uid.string), \(keys.patientID), \(keys.patientIDIssuer),
                \(name.alphabetic), \(name.ideographic), \(name.phonetic), \(name.codes),
                \(keys.patientBirthDate), \(keys.patientSex), \(keys.date), \(keys.time), \(keys.accessionNumber),
                \(referring.alphabetic), \(referring.ideographic), \(referring.phonetic),
                \(referring.codes), \(keys.studyID), \(keys.description), '', '',
                0, 0, \(entry.receivedAt), 0, \(entry.studyAttributes.bytes))
            ON CONFLICT (uid) DO NOTHING RETURNING id
            """
        ) { $0.int(0) }
        guard let id else { return nil }
        let hasTombstones = try Tombstones.exist(study: uid, in: transaction)
        return StudyState(
            id: id, uid: uid, firstStoredAt: entry.receivedAt, isNew: true, hasTombstones: hasTombstones,
            isUncounted: true, instanceCount: 0, keys: keys, attributes: entry.studyAttributes,
            modalities: ValueList(text: ""), sopClasses: ValueList(text: ""))
    }

    private init(
        id: Int64, uid: UID, firstStoredAt: Int64, isNew: Bool, hasTombstones: Bool, isUncounted: Bool,
        instanceCount: Int64, keys: StudyKeys, attributes: AttributeFragments, modalities: ValueList,
        sopClasses: ValueList
    ) {
        self.id = id
        self.uid = uid
        self.firstStoredAt = firstStoredAt
        self.isNew = isNew
        self.hasTombstones = hasTombstones
        self.isUncounted = isUncounted
        self.instanceCount = instanceCount
        self.keys = keys
        self.attributes = attributes
        self.modalities = modalities
        self.sopClasses = sopClasses
    }

    /// Whether the entry names another patient than the study does.
    func patientDiffers(from entry: IndexEntry) -> Bool {
        !keys.patientID.isEmpty && !entry.studyKeys.patientID.isEmpty && keys.patientID != entry.studyKeys.patientID
    }

    /// Counts a new instance, and its modality where it began a series: an instance that names another modality than
    /// its series does not change what the series is.
    mutating func add(_ entry: IndexEntry, beginsSeries: Bool, change: Int64) {
        isChanged = true
        version = change
        instanceCount += 1
        addedInstances += 1
        if beginsSeries, modalities.insert(entry.seriesKeys.modality) { areListsChanged = true }
        if sopClasses.insert(entry.identity.sopClass.string) { areListsChanged = true }
        fill(from: entry)
    }

    /// A series got attributes that it did not have, its modality perhaps.
    mutating func noteFilledSeries() { needsModalities = true }

    /// Takes over the attributes of an instance that replaced another.
    mutating func replace(_ entry: IndexEntry, change: Int64) {
        isChanged = true
        version = change
        needsModalities = true
        if sopClasses.insert(entry.identity.sopClass.string) { areListsChanged = true }
        if instanceCount == 1 {
            keys = entry.studyKeys
            attributes = entry.studyAttributes
            areAttributesChanged = true
        } else {
            fill(from: entry)
        }
    }

    /// Adds attributes that the study does not have yet; what it has stays.
    private mutating func fill(from entry: IndexEntry) {
        guard entry.studyAttributes != attributes, entry.studyAttributes != lastSeen else { return }
        if attributes.lacksSomething(of: entry.studyAttributes), !patientDiffers(from: entry) {
            attributes = attributes.filled(from: entry.studyAttributes)
            keys.fill(from: entry.studyKeys)
            areAttributesChanged = true
        }
        lastSeen = entry.studyAttributes
    }

    /// Brings the row up to date.
    func write(in transaction: any SQLTransaction) throws {
        var modalities = modalities
        if needsModalities {
            modalities = ValueList(
                try transaction.rows("SELECT DISTINCT modality FROM series WHERE study_id = \(id)") { $0.text(0) })
        }
        if areListsChanged || needsModalities {
            try transaction.enqueue(
                """
                UPDATE studies SET series_count = series_count + \(addedSeries),
                    instance_count = instance_count + \(addedInstances), version = \(version),
                    modalities = \(modalities.text), sop_classes = \(sopClasses.text)
                WHERE id = \(id)
                """)
        } else {
            try transaction.enqueue(
                """
                UPDATE studies SET series_count = series_count + \(addedSeries),
                    instance_count = instance_count + \(addedInstances), version = \(version)
                WHERE id = \(id)
                """)
        }
        if areAttributesChanged { try writeAttributes(in: transaction) }
    }

    private func writeAttributes(in transaction: any SQLTransaction) throws {
        var keys = keys
        if !isNew, instanceCount > 1 { keys = try Self.keys(of: id, in: transaction, filledFrom: keys) }
        let name = keys.patientName
        let referring = keys.referringPhysician
        try transaction.enqueue(
            """
            UPDATE studies SET patient_id = \(keys.patientID), patient_id_issuer = \(keys.patientIDIssuer),
                patient_name = \(name.alphabetic), patient_name_ideographic = \(name.ideographic),
                patient_name_phonetic = \(name.phonetic), patient_name_codes = \(name.codes),
                patient_birth_date = \(keys.patientBirthDate), patient_sex = \(keys.patientSex),
                study_date = \(keys.date), study_time = \(keys.time), accession_number = \(keys.accessionNumber),
                referring_physician = \(referring.alphabetic),
                referring_physician_ideographic = \(referring.ideographic),
                referring_physician_phonetic = \(referring.phonetic),
                referring_physician_codes = \(referring.codes),
                study_id = \(keys.studyID), description = \(keys.description), attributes = \(attributes.bytes)
            WHERE id = \(id)
            """)
    }

    /// The keys of the row, with those of `other` where the row's are empty.
    private static func keys(
        of id: Int64, in transaction: any SQLTransaction, filledFrom other: StudyKeys
    ) throws -> StudyKeys {
        let stored = try transaction.first(
            """
            SELECT patient_id, patient_id_issuer, patient_name, patient_name_ideographic, patient_name_phonetic,
                patient_name_codes, patient_birth_date, patient_sex, study_date, study_time, accession_number,
                referring_physician, referring_physician_ideographic, referring_physician_phonetic,
                referring_physician_codes, study_id, description
            FROM studies WHERE id = \(id)
            """
        ) { row in
            var keys = StudyKeys(patientID: row.text(0))
            keys.patientIDIssuer = row.text(1)
            keys.patientName = PersonNameKeys(
                alphabetic: row.text(2), ideographic: row.text(3), phonetic: row.text(4), codes: row.text(5))
            keys.patientBirthDate = row.int(6)
            keys.patientSex = row.text(7)
            keys.date = row.int(8)
            keys.time = row.int(9)
            keys.accessionNumber = row.text(10)
            keys.referringPhysician = PersonNameKeys(
                alphabetic: row.text(11), ideographic: row.text(12), phonetic: row.text(13), codes: row.text(14))
            keys.studyID = row.text(15)
            keys.description = row.text(16)
            return keys
        }
        guard var keys = stored else { throw ArchiveError.rowVanished }
        keys.fill(from: other)
        return keys
    }
}
