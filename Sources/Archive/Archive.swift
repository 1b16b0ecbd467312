package import BlobStorage
package import DICOMCore
package import SQLStorage

/// The instances that are stored, and what is known of them: searching, finding, deleting, and the feed of changes.
package struct Archive: Sendable {
    package let database: any SQLDatabase
    package let blobs: any BlobStore

    let blobColumns: [BlobColumn]

    /// - Parameter others: What names blobs besides the instances.
    package init(database: any SQLDatabase, blobs: any BlobStore, others: [BlobColumn] = []) {
        self.database = database
        self.blobs = blobs
        blobColumns = [.instances] + others
    }

    /// The instances of a study, of a series of it, or one instance, in series and instance number order.
    package func instances(
        study: UID, series: UID? = nil, instance: UID? = nil
    ) async throws -> Lookup<StoredInstances> {
        try await database.read { transaction in
            let target = try Target.find(study: study, series: series, instance: instance, in: transaction)
            switch target {
            case .gone: return .gone
            case .unknown: return .unknown
            case .found(let target):
                if let row = target.instance {
                    return .found(StoredInstances(version: target.version, instances: [row.instance]))
                }
                var instances: [StoredInstance] = []
                for series in target.series {
                    instances += try StoredRow.all(
                        ofSeries: series.id, study: study, series: series.uid, in: transaction
                    ).map(\.instance)
                }
                return .found(StoredInstances(version: target.version, instances: instances))
            }
        }
    }

    /// The metadata of a study, of a series of it, or of one instance (PS3.18 10.4.1.1.2).
    package func documents(
        study: UID, series: UID? = nil, instance: UID? = nil
    ) async throws -> Lookup<MetadataDocuments> {
        try await database.read { transaction in
            let target = try Target.find(study: study, series: series, instance: instance, in: transaction)
            switch target {
            case .gone: return .gone
            case .unknown: return .unknown
            case .found(let target): return .found(try target.documents(of: study, in: transaction))
            }
        }
    }

    /// The version of a study, of a series of it, or of one instance, for conditional requests.
    package func version(
        study: UID, series: UID? = nil, instance: UID? = nil
    ) async throws -> Lookup<ResourceVersion> {
        try await database.read { transaction in
            switch try Target.find(study: study, series: series, instance: instance, in: transaction) {
            case .gone: .gone
            case .unknown: .unknown
            case .found(let target): .found(target.version)
            }
        }
    }

    /// The changes behind number `cursor`, at most `limit` of them.
    package func changes(after cursor: Int64, limit: Int) async throws -> ChangePage {
        try await database.read { transaction in
            let changes = try transaction.rows(
                """
                SELECT sequence, kind, changed_at, study_uid, series_uid, instance_uid FROM changes
                WHERE sequence > \(cursor) ORDER BY sequence LIMIT \(Int64(max(0, limit)))
                """
            ) { row in
                guard let kind = Change.Kind(rawValue: row.int(1)), let study = UID(row.text(3)) else {
                    throw ArchiveError.unreadableRow
                }
                return Change(
                    sequence: row.int(0), kind: kind, time: row.int(2), study: study, series: UID(row.text(4)),
                    instance: UID(row.text(5)))
            }
            return ChangePage(changes: changes, latest: try ChangeWriter.last(in: transaction))
        }
    }
}

/// Instances of one resource.
package struct StoredInstances: Sendable {
    /// Version of the resource that was asked for.
    package let version: ResourceVersion
    package let instances: [StoredInstance]

    package init(version: ResourceVersion, instances: [StoredInstance]) {
        self.version = version
        self.instances = instances
    }
}
