import DICOMCore
import SQLStorage

/// Numbers the changes of one transaction and writes their rows.
///
/// There is one writer at a time, so the numbers have no gaps and become visible in their order: SQLite has no other way,
/// and on PostgreSQL the transaction locks the table before it reads anything that it will change.
struct ChangeWriter {
    private let now: Int64
    private let transaction: any SQLTransaction
    private var last: Int64?
    private var isAlone = false

    init(now: Int64, in transaction: any SQLTransaction) {
        self.now = now
        self.transaction = transaction
    }

    /// Waits until no other transaction writes to the archive. Called before the first row is read.
    mutating func waitForOthers() throws {
        guard !isAlone else { return }
        isAlone = true
        if let lock = transaction.dialect.lock("changes") { try transaction.enqueue(lock) }
    }

    /// Writes a change row. Returns its sequence number.
    mutating func append(_ kind: Change.Kind, _ identity: InstanceIdentity) throws -> Int64 {
        try append(kind, study: identity.study, series: identity.series, instance: identity.instance)
    }

    /// Writes the change row of a study, a series of it or an instance of that. Returns its sequence number.
    mutating func append(_ kind: Change.Kind, study: UID, series: UID?, instance: UID?) throws -> Int64 {
        let sequence = try (last ?? Self.last(in: transaction)) + 1
        last = sequence
        try transaction.enqueue(
            SQLStatement(
                """
                INSERT INTO changes (sequence, kind, changed_at, study_uid, series_uid, instance_uid)
                VALUES ($1, $2, $3, $4, $5, $6)
                """,
                [
                    .int(sequence), .int(kind.rawValue), .int(now), .text(study.string),
                    .text(series?.string ?? ""), .text(instance?.string ?? ""),
                ]))
        return sequence
    }

    /// The highest number given so far; 0 before the first.
    static func last(in transaction: any SQLTransaction) throws -> Int64 {
        try transaction.first("SELECT COALESCE(MAX(sequence), 0) FROM changes") { $0.int(0) } ?? 0
    }
}
