import DICOMCore
import SQLStorage

/// What was deleted: one row for each instance, so that its parents are remembered with it and storing it again
/// forgets exactly that.
enum Tombstones {
    /// Remembers the instances of a study, of a series of it, or one instance.
    static func add(_ instances: [InstanceIdentity], now: Int64, in transaction: any SQLTransaction) throws {
        for instance in instances {
            try transaction.enqueue(
                """
                INSERT INTO tombstones (study_uid, series_uid, instance_uid, deleted_at)
                VALUES (\(instance.study.string), \(instance.series.string), \(instance.instance.string), \(now))
                ON CONFLICT (study_uid, series_uid, instance_uid) DO UPDATE SET deleted_at = \(now)
                """)
        }
    }

    /// Forgets an instance that is stored again.
    static func remove(_ instance: InstanceIdentity, in transaction: any SQLTransaction) throws {
        try transaction.enqueue(
            """
            DELETE FROM tombstones WHERE study_uid = \(instance.study.string)
                AND series_uid = \(instance.series.string) AND instance_uid = \(instance.instance.string)
            """)
    }

    /// Whether something of the resource was deleted.
    static func exist(
        study: UID, series: UID? = nil, instance: UID? = nil, in transaction: any SQLTransaction
    ) throws -> Bool {
        let found: Int64?
        if let series, let instance {
            found = try transaction.first(
                """
                SELECT 1 FROM tombstones WHERE study_uid = \(study.string) AND series_uid = \(series.string)
                    AND instance_uid = \(instance.string)
                """
            ) { $0.int(0) }
        } else if let series {
            found = try transaction.first(
                """
                SELECT 1 FROM tombstones WHERE study_uid = \(study.string) AND series_uid = \(series.string) LIMIT 1
                """
            ) { $0.int(0) }
        } else {
            found = try transaction.first("SELECT 1 FROM tombstones WHERE study_uid = \(study.string) LIMIT 1") {
                $0.int(0)
            }
        }
        return found != nil
    }
}
