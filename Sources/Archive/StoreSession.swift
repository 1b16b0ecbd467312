import BlobStorage
import DICOMCore
import SQLStorage

/// One transaction's worth of storing: what it learned about studies and series, and what it owes their rows.
///
/// Rows of instances are written at once; the rows above them once, by `finish`.
struct StoreSession {
    private let transaction: any SQLTransaction
    private let policy: DuplicatePolicy
    private let now: Int64
    private var studies: [UID: StudyState] = [:]
    private var series: [SeriesKey: SeriesState] = [:]
    private var changes: ChangeWriter

    private struct SeriesKey: Hashable {
        var study: Int64
        var series: UID
    }

    init(policy: DuplicatePolicy, now: Int64, in transaction: any SQLTransaction) {
        self.policy = policy
        self.now = now
        self.transaction = transaction
        changes = ChangeWriter(now: now, in: transaction)
    }

    /// Decides about one instance and writes its rows.
    mutating func store(_ entry: IndexEntry, comparison: DataSetComparison?) throws -> StoreDecision {
        try changes.waitForOthers()
        if let present = try StoredRow.find(entry.identity.instance, in: transaction) {
            return try decide(entry, beside: present, comparison: comparison)
        }
        var study = try state(ofStudyFor: entry)
        let parent = SeriesKey(study: study.id, series: entry.identity.series)
        var series = try state(ofSeriesFor: entry, study: &study)
        series.ordinal += 1
        guard series.ordinal <= ArchiveSchema.maximumOrdinal else { throw ArchiveError.seriesIsFull }
        let id = series.id << ArchiveSchema.ordinalBits | series.ordinal

        if study.hasTombstones { try Tombstones.remove(entry.identity, in: transaction) }
        let change = try changes.append(.created, entry.identity)
        try transaction.enqueue(
            SQLStatement(
                """
                INSERT INTO instances (id, uid, sop_class, number, location, length, transfer_syntax,
                    data_set_offset, is_faithful, digest, frame_layout, version, stored_at, attributes)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
                """,
                [
                    .int(id), .text(entry.identity.instance.string), .text(entry.identity.sopClass.string),
                    .int(entry.instanceNumber ?? ArchiveSchema.noNumber), .text(entry.location.rawValue),
                    .int(Int64(entry.length)), .text(entry.transferSyntaxUID), .int(Int64(entry.dataSetOffset)),
                    .int(entry.isFaithful ? 1 : 0), .bytes(entry.digest), .bytes(entry.frameLayout), .int(change),
                    .int(entry.receivedAt), .bytes(entry.instanceAttributes.bytes),
                ]))
        let template = try writeTemplateIfNeeded(entry, &series)
        try transaction.enqueue(
            SQLStatement(
                "INSERT INTO instance_documents (id, document) VALUES ($1, $2)",
                [.int(id), .bytes(entry.document.difference(from: template).bytes)]))

        let notes = StoreNotes(
            patientDiffers: study.patientDiffers(from: entry), isNewStudy: study.isUncounted, change: change)
        study.isUncounted = false
        let beginsSeries = series.isNew && !series.isChanged
        study.add(entry, beginsSeries: beginsSeries, change: change)
        if series.add(entry, change: change), !beginsSeries { study.noteFilledSeries() }
        studies[entry.identity.study] = study
        self.series[parent] = series
        return .stored(notes)
    }

    /// Writes the rows of the studies and series that instances were added to.
    mutating func finish() throws {
        for state in series.values where state.isChanged { try state.write(in: transaction) }
        for state in studies.values where state.isChanged { try state.write(in: transaction) }
    }

    // MARK: - Parents

    private func state(ofStudyFor entry: IndexEntry) throws -> StudyState {
        if let known = studies[entry.identity.study] { return known }
        let uid = entry.identity.study
        if let found = try StudyState.find(uid, in: transaction) { return found }
        if let made = try StudyState.make(entry, in: transaction) { return made }
        // Another transaction made it in between.
        guard let found = try StudyState.find(uid, in: transaction) else { throw ArchiveError.rowVanished }
        return found
    }

    private mutating func state(ofSeriesFor entry: IndexEntry, study: inout StudyState) throws -> SeriesState {
        let key = SeriesKey(study: study.id, series: entry.identity.series)
        if let known = series[key] { return known }
        if !study.isNew, let found = try SeriesState.find(key.series, study: study.id, in: transaction) {
            return found
        }
        if let made = try SeriesState.make(entry, study: study.id, in: transaction) {
            study.addedSeries += 1
            return made
        }
        guard let found = try SeriesState.find(key.series, study: study.id, in: transaction) else {
            throw ArchiveError.rowVanished
        }
        return found
    }

    private func writeTemplateIfNeeded(_ entry: IndexEntry, _ series: inout SeriesState) throws -> AttributeFragments {
        if let template = series.template { return template }
        let id = series.id << ArchiveSchema.ordinalBits
        if !series.isNew, let stored = try Documents.read(id, in: transaction) {
            series.template = stored
            return stored
        }
        try transaction.enqueue(
            "INSERT INTO instance_documents (id, document) VALUES (\(id), \(entry.document.bytes))")
        series.template = entry.document
        return entry.document
    }

    // MARK: - Duplicates

    private mutating func decide(
        _ entry: IndexEntry, beside present: StoredRow, comparison: DataSetComparison?
    ) throws -> StoreDecision {
        let stored = present.instance
        guard stored.identity.study == entry.identity.study, stored.identity.series == entry.identity.series
        else { return .conflict(.otherParent) }
        guard stored.digest != entry.digest else { return .identical(at: stored.location) }
        guard let comparison, comparison.storedDigest == stored.digest else { return .needsComparison(stored) }
        guard !comparison.isSame else { return .identical(at: stored.location) }

        var study = try state(ofStudyFor: entry)
        guard policy.replaces(firstStoredAt: study.firstStoredAt, now: now) else {
            return .conflict(
                stored.identity.sopClass == entry.identity.sopClass ? .otherContent : .otherClass)
        }
        var series = try state(ofSeriesFor: entry, study: &study)
        let change = try changes.append(.updated, entry.identity)
        let template = try writeTemplateIfNeeded(entry, &series)
        try transaction.enqueue(
            """
            UPDATE instances SET sop_class = \(entry.identity.sopClass.string), number = \(entry.instanceNumber ?? ArchiveSchema.noNumber),
                location = \(entry.location.rawValue), length = \(Int64(entry.length)), transfer_syntax = \(entry.transferSyntaxUID),
                data_set_offset = \(Int64(entry.dataSetOffset)), is_faithful = \(Int64(entry.isFaithful ? 1 : 0)),
                digest = \(entry.digest), frame_layout = \(entry.frameLayout), version = \(change),
                stored_at = \(entry.receivedAt), attributes = \(entry.instanceAttributes.bytes)
            WHERE id = \(present.id)
            """)
        try transaction.enqueue(
            """
            UPDATE instance_documents SET document = \(entry.document.difference(from: template).bytes)
            WHERE id = \(present.id)
            """)
        let notes = StoreNotes(
            patientDiffers: study.patientDiffers(from: entry) && study.instanceCount > 1, isNewStudy: false,
            change: change)
        study.replace(entry, change: change)
        series.replace(entry, change: change)
        studies[entry.identity.study] = study
        self.series[SeriesKey(study: study.id, series: entry.identity.series)] = series
        return .replaced(previous: stored.location, notes)
    }
}
