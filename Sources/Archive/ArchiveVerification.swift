package import BlobStorage
import DICOMCore
package import SQLStorage

/// Checks that rows, counts, documents, changes and blobs agree: what `gantry verify` says of the archive.
package struct ArchiveVerification: Sendable {
    /// How much is read.
    package enum Depth: Hashable, Sendable {
        /// Rows only.
        case rows
        /// And whether each blob can be read.
        case blobs
        /// And whether each blob's bytes have the digest of its row.
        case digests
    }

    /// What can be wrong.
    package enum Problem: Hashable, Sendable {
        case wrongInstanceCount(series: String)
        case wrongCounts(study: String)
        case wrongLists(study: String)
        case emptySeries(String)
        case emptyStudy(String)
        case missingTemplate(series: String)
        case missingDocument(instance: String)
        case seriesWithoutStudy(String)
        case instanceWithoutSeries(String)
        case documentWithoutInstance(Int64)
        case tombstoneOfPresentInstance(String)
        case gapInChanges(behind: Int64)
        case missingBlob(instance: String)
        case otherDigest(instance: String)
        /// Of a blob that another table than the instances names.
        case missingBlobOf(table: String, location: String)
        case otherDigestOf(table: String, location: String)
    }

    /// What was found.
    package struct Report: Hashable, Sendable {
        package var studies = 0
        package var series = 0
        package var instances = 0
        package var changes = 0
        package var problems: [Problem] = []

        /// Whether all is well.
        package var isClean: Bool { problems.isEmpty }
    }

    private let database: any SQLDatabase
    private let blobs: any BlobStore
    private let others: [BlobColumn]

    /// - Parameter others: What names blobs besides the instances.
    package init(database: any SQLDatabase, blobs: any BlobStore, others: [BlobColumn] = []) {
        self.database = database
        self.blobs = blobs
        self.others = others
    }

    /// Checks everything; `progress` is told the number of instances whose blobs were checked so far.
    package func run(
        _ depth: Depth, progress: @Sendable (Int) -> Void = { _ in }
    ) async throws -> Report {
        var report = try await database.read { try Self.checkRows(in: $0) }
        guard depth != .rows else { return report }
        var cursor: Int64 = -1
        var checked = 0
        while true {
            try Task.checkCancellation()
            let page = try await page(behind: cursor)
            guard let last = page.last else { break }
            cursor = last.id
            for row in page {
                if let problem = await check(row, depth) { report.problems.append(problem) }
            }
            checked += page.count
            progress(checked)
        }
        for column in others { report.problems += try await problems(of: column, depth) }
        return report
    }

    // MARK: - Blobs

    private struct BlobRow: Sendable {
        var id: Int64
        var uid: String
        var location: String
        var digest: [UInt8]
    }

    private func page(behind cursor: Int64) async throws -> [BlobRow] {
        try await database.read { transaction in
            try transaction.rows(
                "SELECT id, uid, location, digest FROM instances WHERE id > \(cursor) ORDER BY id LIMIT 500"
            ) { BlobRow(id: $0.int(0), uid: $0.text(1), location: $0.text(2), digest: $0.bytes(3)) }
        }
    }

    private func check(_ row: BlobRow, _ depth: Depth) async -> Problem? {
        guard let location = BlobLocation(rawValue: row.location) else { return .missingBlob(instance: row.uid) }
        do {
            if depth == .digests {
                guard try await blobs.verify(location) == row.digest else { return .otherDigest(instance: row.uid) }
            } else {
                _ = try await blobs.read(location, 0..<min(1, location.length))
            }
            return nil
        } catch {
            return .missingBlob(instance: row.uid)
        }
    }

    private func problems(of column: BlobColumn, _ depth: Depth) async throws -> [Problem] {
        var problems: [Problem] = []
        var cursor = ""
        while true {
            try Task.checkCancellation()
            let after = cursor
            let page = try await database.read { transaction in
                try transaction.rows(
                    """
                    SELECT \(raw: column.location), \(raw: column.digest) FROM \(raw: column.table)
                    WHERE \(raw: column.location) > \(after) ORDER BY \(raw: column.location) LIMIT 500
                    """
                ) { BlobRow(id: 0, uid: "", location: $0.text(0), digest: $0.bytes(1)) }
            }
            guard let last = page.last else { return problems }
            cursor = last.location
            for row in page {
                let table = column.table.description
                switch await check(row, depth) {
                case .missingBlob: problems.append(.missingBlobOf(table: table, location: row.location))
                case .otherDigest: problems.append(.otherDigestOf(table: table, location: row.location))
                default: break
                }
            }
        }
    }

    // MARK: - Rows

    private static func checkRows(in transaction: any SQLTransaction) throws -> Report {
        try transaction.liftTimeLimits()
        var report = Report()
        func collect(_ statement: SQLStatement, _ make: (any SQLRow) -> Problem) throws {
            report.problems += try transaction.rows(statement, make)
        }
        report.studies = Int(try transaction.firstInt("SELECT COUNT(*) FROM studies") ?? 0)
        report.series = Int(try transaction.firstInt("SELECT COUNT(*) FROM series") ?? 0)
        report.instances = Int(try transaction.firstInt("SELECT COUNT(*) FROM instances") ?? 0)
        report.changes = Int(try transaction.firstInt("SELECT COUNT(*) FROM changes") ?? 0)

        try collect(
            """
            SELECT se.uid FROM series se WHERE se.instance_count <>
                (SELECT COUNT(*) FROM instances i WHERE i.id >= (se.id << 24) AND i.id < ((se.id + 1) << 24))
            """
        ) { .wrongInstanceCount(series: $0.text(0)) }
        try collect("SELECT uid FROM series WHERE instance_count = 0") { .emptySeries($0.text(0)) }
        try collect(
            """
            SELECT st.uid FROM studies st WHERE st.series_count <>
                    (SELECT COUNT(*) FROM series se WHERE se.study_id = st.id)
                OR st.instance_count <>
                    (SELECT COALESCE(SUM(se.instance_count), 0) FROM series se WHERE se.study_id = st.id)
            """
        ) { .wrongCounts(study: $0.text(0)) }
        try collect("SELECT uid FROM studies WHERE series_count = 0") { .emptyStudy($0.text(0)) }
        try collect(
            "SELECT se.uid FROM series se WHERE NOT EXISTS (SELECT 1 FROM studies st WHERE st.id = se.study_id)"
        ) { .seriesWithoutStudy($0.text(0)) }
        try collect("SELECT i.uid FROM instances i WHERE NOT EXISTS (SELECT 1 FROM series se WHERE se.id = i.id >> 24)")
        { .instanceWithoutSeries($0.text(0)) }
        try collect(
            """
            SELECT se.uid FROM series se
            WHERE NOT EXISTS (SELECT 1 FROM instance_documents d WHERE d.id = se.id << 24)
            """
        ) { .missingTemplate(series: $0.text(0)) }
        try collect(
            """
            SELECT i.uid FROM instances i
            WHERE NOT EXISTS (SELECT 1 FROM instance_documents d WHERE d.id = i.id)
            """
        ) { .missingDocument(instance: $0.text(0)) }
        try collect(
            """
            SELECT d.id FROM instance_documents d
            WHERE (d.id & 16777215) <> 0 AND NOT EXISTS (SELECT 1 FROM instances i WHERE i.id = d.id)
            """
        ) { .documentWithoutInstance($0.int(0)) }
        try collect(
            """
            SELECT i.uid FROM tombstones t JOIN instances i ON i.uid = t.instance_uid
                JOIN series se ON se.id = i.id >> 24 JOIN studies st ON st.id = se.study_id
            WHERE se.uid = t.series_uid AND st.uid = t.study_uid
            """
        ) { .tombstoneOfPresentInstance($0.text(0)) }
        try collect(
            """
            SELECT c.sequence FROM changes c WHERE NOT EXISTS
                    (SELECT 1 FROM changes n WHERE n.sequence = c.sequence + 1)
                AND c.sequence < (SELECT MAX(sequence) FROM changes)
            """
        ) { .gapInChanges(behind: $0.int(0)) }
        try checkLists(&report, in: transaction)
        return report
    }

    /// Modalities and SOP classes of each study are those of its series.
    private static func checkLists(_ report: inout Report, in transaction: any SQLTransaction) throws {
        var current: (id: Int64, uid: String, modalities: String, classes: String)?
        var modalities: [String] = []
        var classes: [String] = []
        func finish() {
            guard let current else { return }
            if ValueList(modalities).text != current.modalities || ValueList(classes).text != current.classes {
                report.problems.append(.wrongLists(study: current.uid))
            }
        }
        try transaction.forEach(
            """
            SELECT st.id, st.uid, st.modalities, st.sop_classes, se.modality, se.sop_classes
            FROM studies st JOIN series se ON se.study_id = st.id ORDER BY st.id
            """
        ) { row in
            if current?.id != row.int(0) {
                finish()
                current = (row.int(0), row.text(1), row.text(2), row.text(3))
                modalities = []
                classes = []
            }
            modalities.append(row.text(4))
            classes += ValueList(text: row.text(5)).values
        }
        finish()
    }
}
