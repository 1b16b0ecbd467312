package import BlobStorage
package import DICOMCore
package import SQLStorage

/// What a deletion took away.
package struct Deletion: Sendable {
    /// Every instance that is gone.
    package let instances: [InstanceIdentity]
    /// Blobs that nothing refers to any more.
    package let blobs: [BlobLocation]
    /// Number of the last change row that was written.
    package let change: Int64
}

extension Archive {
    /// Deletes a study, a series of it, or one instance; parents that become empty go too. `alongside` writes other
    /// rows into the same transaction. The blobs are deleted after the commit; one that stays is found by the sweep.
    package func delete(
        study: UID, series: UID? = nil, instance: UID? = nil, now: Int64,
        alongside: @escaping @Sendable (Deletion, any SQLTransaction) throws -> Void = { _, _ in }
    ) async throws -> Lookup<Deletion> {
        let lookup: Lookup<Deletion> = try await database.write { transaction in
            var changes = ChangeWriter(now: now, in: transaction)
            try changes.waitForOthers()
            switch try Target.find(study: study, series: series, instance: instance, in: transaction) {
            case .gone: return .gone
            case .unknown: return .unknown
            case .found(let target):
                let deletion = try Self.delete(
                    target, study: study, series: series, instance: instance, now: now, changes: &changes,
                    in: transaction)
                try alongside(deletion, transaction)
                return .found(deletion)
            }
        }
        if case .found(let deletion) = lookup { try await blobs.delete(deletion.blobs) }
        return lookup
    }

    private static func delete(
        _ target: Target, study: UID, series: UID?, instance: UID?, now: Int64,
        changes: inout ChangeWriter, in transaction: any SQLTransaction
    ) throws -> Deletion {
        // 1. What goes.
        var rows: [StoredRow] = []
        if let row = target.instance {
            rows = [row]
        } else {
            for series in target.series {
                rows += try StoredRow.all(ofSeries: series.id, study: study, series: series.uid, in: transaction)
            }
        }
        let instances = rows.map(\.instance.identity)
        try Tombstones.add(instances, now: now, in: transaction)

        // 2. The change, and the rows.
        var change = try changes.append(.deleted, study: study, series: series, instance: instance)
        if let row = target.instance {
            try transaction.enqueue("DELETE FROM instances WHERE id = \(row.id)")
            try transaction.enqueue("DELETE FROM instance_documents WHERE id = \(row.id)")
            for parent in target.series {
                let isEmpty = try update(parent, version: change, in: transaction)
                if isEmpty { change = try changes.append(.deleted, study: study, series: series, instance: nil) }
            }
        } else {
            for series in target.series { try remove(series, in: transaction) }
        }

        // 3. The study: gone, or counted anew.
        let left = try transaction.first("SELECT 1 FROM series WHERE study_id = \(target.studyID) LIMIT 1") {
            $0.int(0)
        }
        if left == nil {
            try transaction.enqueue("DELETE FROM studies WHERE id = \(target.studyID)")
            if series != nil { change = try changes.append(.deleted, study: study, series: nil, instance: nil) }
        } else {
            try update(study: target.studyID, version: change, in: transaction)
        }
        return Deletion(instances: instances, blobs: rows.map(\.instance.location), change: change)
    }

    private static func remove(_ series: Target.Series, in transaction: any SQLTransaction) throws {
        let first = series.id << ArchiveSchema.ordinalBits
        let last = first | ArchiveSchema.maximumOrdinal
        try transaction.enqueue("DELETE FROM instances WHERE id BETWEEN \(first) AND \(last)")
        try transaction.enqueue("DELETE FROM instance_documents WHERE id BETWEEN \(first) AND \(last)")
        try transaction.enqueue("DELETE FROM series_requests WHERE series_id = \(series.id)")
        try transaction.enqueue("DELETE FROM series WHERE id = \(series.id)")
    }

    /// Counts a series anew; removes it when it is empty, and says so.
    private static func update(
        _ series: Target.Series, version: Int64, in transaction: any SQLTransaction
    ) throws -> Bool {
        let first = series.id << ArchiveSchema.ordinalBits
        let last = first | ArchiveSchema.maximumOrdinal
        var count: Int64 = 0
        var classes: [String] = []
        try transaction.forEach(
            """
            SELECT sop_class, COUNT(*) FROM instances WHERE id BETWEEN \(first) AND \(last) GROUP BY sop_class
            """
        ) { row in
            classes.append(row.text(0))
            count += row.int(1)
        }
        guard count > 0 else {
            try remove(series, in: transaction)
            return true
        }
        try transaction.enqueue(
            """
            UPDATE series SET instance_count = \(count), sop_classes = \(ValueList(classes).text),
                version = \(version)
            WHERE id = \(series.id)
            """)
        return false
    }

    /// Counts a study anew.
    private static func update(study: Int64, version: Int64, in transaction: any SQLTransaction) throws {
        var series: Int64 = 0
        var instances: Int64 = 0
        var modalities: [String] = []
        var classes: [String] = []
        try transaction.forEach(
            "SELECT instance_count, modality, sop_classes FROM series WHERE study_id = \(study)"
        ) { row in
            series += 1
            instances += row.int(0)
            modalities.append(row.text(1))
            classes += ValueList(text: row.text(2)).values
        }
        try transaction.enqueue(
            """
            UPDATE studies SET series_count = \(series), instance_count = \(instances),
                modalities = \(ValueList(modalities).text), sop_classes = \(ValueList(classes).text),
                version = \(version)
            WHERE id = \(study)
            """)
    }
}
