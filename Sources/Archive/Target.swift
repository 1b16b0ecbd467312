import DICOMCore
import SQLStorage

/// A resource by its UIDs, checked from the study down: rows of the study, of the series, and of one instance.
struct Target: Sendable {
    /// A row of a series.
    struct Series: Sendable {
        var id: Int64
        var uid: UID
        var version: Int64
    }

    var studyID: Int64
    var version: ResourceVersion
    /// The series that belong to the resource, in series number order.
    var series: [Series]
    /// The instance, when the resource is one.
    var instance: StoredRow?

    static func find(
        study: UID, series: UID?, instance: UID?, in transaction: any SQLTransaction
    ) throws -> Lookup<Target> {
        func absence() throws -> Lookup<Target> {
            try Tombstones.exist(study: study, series: series, instance: instance, in: transaction) ? .gone : .unknown
        }
        let found = try transaction.first("SELECT id, version FROM studies WHERE uid = \(study.string)") {
            (id: $0.int(0), version: $0.int(1))
        }
        guard let found else { return try absence() }
        guard let series else {
            let all = try transaction.rows(
                """
                SELECT id, uid, version FROM series WHERE study_id = \(found.id)
                ORDER BY number, uid
                """
            ) { row in
                guard let uid = UID(row.text(1)) else { throw ArchiveError.unreadableRow }
                return Series(id: row.int(0), uid: uid, version: row.int(2))
            }
            return .found(
                Target(studyID: found.id, version: try ResourceVersion(found.version, in: transaction), series: all))
        }
        let parent = try transaction.first(
            "SELECT id, version FROM series WHERE uid = \(series.string) AND study_id = \(found.id)"
        ) { Series(id: $0.int(0), uid: series, version: $0.int(1)) }
        guard let parent else { return try absence() }
        guard let instance else {
            return .found(
                Target(
                    studyID: found.id, version: try ResourceVersion(parent.version, in: transaction), series: [parent]))
        }
        guard let row = try StoredRow.find(instance, in: transaction), row.instance.identity.study == study,
            row.instance.identity.series == series
        else { return try absence() }
        return .found(
            Target(
                studyID: found.id, version: try ResourceVersion(row.instance.version, in: transaction),
                series: [parent], instance: row))
    }

    /// The metadata documents of the resource.
    func documents(of study: UID, in transaction: any SQLTransaction) throws -> MetadataDocuments {
        var documents: [MetadataDocument] = []
        for series in series {
            let first = series.id << ArchiveSchema.ordinalBits
            guard let template = try Documents.read(first, in: transaction) else { throw ArchiveError.rowVanished }
            if let instance {
                guard let own = try Documents.read(instance.id, in: transaction) else {
                    throw ArchiveError.rowVanished
                }
                documents.append(
                    MetadataDocument(
                        study: study, series: series.uid, instance: instance.instance.identity.instance,
                        version: instance.instance.version, template: template, own: own))
                continue
            }
            documents += try transaction.rows(
                """
                SELECT i.uid, i.version, d.document FROM instances i JOIN instance_documents d ON d.id = i.id
                WHERE i.id BETWEEN \(first) AND \(first | ArchiveSchema.maximumOrdinal)
                ORDER BY i.number, i.uid
                """
            ) { row in
                guard let uid = UID(row.text(0)) else { throw ArchiveError.unreadableRow }
                return MetadataDocument(
                    study: study, series: series.uid, instance: uid, version: row.int(1), template: template,
                    own: AttributeFragments(decoding: row.bytes(2)))
            }
        }
        return MetadataDocuments(version: version, documents: documents)
    }
}
