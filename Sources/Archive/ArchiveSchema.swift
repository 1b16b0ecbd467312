package import SQLStorage

/// The archive's tables.
///
/// The number of an instance is that of its series, shifted left by 24 bits, plus an ordinal: so the rows of one
/// series lie together in `instances` and in `instance_documents`, and a series is one range of keys without an index.
/// Ordinal 0 of `instance_documents` is the series' template. What is absent has a value that both databases order
/// alike: the empty text, ``noDate``, ``noTime``, ``noNumber``; never NULL.
///
/// What a patient is called, is born, and so on, is kept with each study as it came: two studies of one Patient ID may
/// differ in it, and a search has to find each by its own.
package enum ArchiveSchema {
    /// Bits of an instance's number that count within its series.
    static let ordinalBits: Int64 = 24
    /// The highest ordinal, and so the number of instances that one series ever holds.
    static let maximumOrdinal: Int64 = (1 << ordinalBits) - 1
    /// Stands for a series or instance number that is absent or no number; comes last.
    static let noNumber = Int64.max
    /// Stands for a date that is absent or no date. Dates are numbers such as 20240115.
    static let noDate: Int64 = 0
    /// Stands for a time that is absent or no time. Times are microseconds since midnight.
    static let noTime: Int64 = -1

    /// The number of a column, `nil` where there is none.
    static func number(_ column: Int64) -> Int64? { column == noNumber ? nil : column }

    /// All steps, in order.
    package static let migrations: [Migration] = [
        Migration("0001 archive: studies, series, instances") { dialect in
            studies(dialect) + series(dialect) + instances(dialect) + feeds(dialect)
        }
    ]

    private static func studies(_ dialect: SQLDialect) -> [SQLStatement] {
        let (text, integer) = (dialect.text, dialect.integer)
        return [
            """
            CREATE TABLE studies (
                id \(raw: dialect.rowKey),
                uid \(raw: text) NOT NULL,
                patient_id \(raw: text) NOT NULL,
                patient_id_issuer \(raw: text) NOT NULL,
                patient_name \(raw: text) NOT NULL,
                patient_name_ideographic \(raw: text) NOT NULL,
                patient_name_phonetic \(raw: text) NOT NULL,
                patient_name_codes \(raw: text) NOT NULL,
                patient_birth_date \(raw: integer) NOT NULL,
                patient_sex \(raw: text) NOT NULL,
                study_date \(raw: integer) NOT NULL,
                study_time \(raw: integer) NOT NULL,
                accession_number \(raw: text) NOT NULL,
                referring_physician \(raw: text) NOT NULL,
                referring_physician_ideographic \(raw: text) NOT NULL,
                referring_physician_phonetic \(raw: text) NOT NULL,
                referring_physician_codes \(raw: text) NOT NULL,
                study_id \(raw: text) NOT NULL,
                description \(raw: text) NOT NULL,
                modalities \(raw: text) NOT NULL,
                sop_classes \(raw: text) NOT NULL,
                series_count \(raw: integer) NOT NULL,
                instance_count \(raw: integer) NOT NULL,
                first_stored_at \(raw: integer) NOT NULL,
                version \(raw: integer) NOT NULL,
                attributes \(raw: dialect.bytes) NOT NULL
            )
            """,
            "CREATE UNIQUE INDEX studies_by_uid ON studies (uid)",
            "CREATE INDEX studies_by_date ON studies (study_date DESC, study_time DESC, uid)",
            "CREATE INDEX studies_by_patient ON studies (patient_id)",
            "CREATE INDEX studies_by_accession ON studies (accession_number) WHERE accession_number <> ''",
            "CREATE INDEX studies_by_name ON studies (patient_name)",
            """
            CREATE INDEX studies_by_ideographic_name ON studies (patient_name_ideographic)
            WHERE patient_name_ideographic <> ''
            """,
            """
            CREATE INDEX studies_by_phonetic_name ON studies (patient_name_phonetic)
            WHERE patient_name_phonetic <> ''
            """,
        ]
    }

    private static func series(_ dialect: SQLDialect) -> [SQLStatement] {
        let (text, integer) = (dialect.text, dialect.integer)
        return [
            """
            CREATE TABLE series (
                id \(raw: dialect.rowKey),
                study_id \(raw: integer) NOT NULL,
                uid \(raw: text) NOT NULL,
                modality \(raw: text) NOT NULL,
                number \(raw: integer) NOT NULL,
                description \(raw: text) NOT NULL,
                body_part \(raw: text) NOT NULL,
                series_date \(raw: integer) NOT NULL,
                series_time \(raw: integer) NOT NULL,
                procedure_step_date \(raw: integer) NOT NULL,
                procedure_step_time \(raw: integer) NOT NULL,
                sop_classes \(raw: text) NOT NULL,
                instance_count \(raw: integer) NOT NULL,
                last_ordinal \(raw: integer) NOT NULL,
                version \(raw: integer) NOT NULL,
                attributes \(raw: dialect.bytes) NOT NULL
            )
            """,
            "CREATE UNIQUE INDEX series_by_uid ON series (uid, study_id)",
            "CREATE INDEX series_by_number ON series (study_id, number, uid)",
            """
            CREATE TABLE series_requests (
                series_id \(raw: integer) NOT NULL,
                item \(raw: integer) NOT NULL,
                scheduled_step_id \(raw: text) NOT NULL,
                requested_procedure_id \(raw: text) NOT NULL,
                PRIMARY KEY (series_id, item)
            )\(raw: dialect.clustered)
            """,
            "CREATE INDEX series_requests_by_step ON series_requests (scheduled_step_id)",
            "CREATE INDEX series_requests_by_procedure ON series_requests (requested_procedure_id)",
        ]
    }

    private static func instances(_ dialect: SQLDialect) -> [SQLStatement] {
        let (text, integer) = (dialect.text, dialect.integer)
        return [
            """
            CREATE TABLE instances (
                id \(raw: integer) PRIMARY KEY,
                uid \(raw: text) NOT NULL,
                sop_class \(raw: text) NOT NULL,
                number \(raw: integer) NOT NULL,
                location \(raw: text) NOT NULL,
                length \(raw: integer) NOT NULL,
                transfer_syntax \(raw: text) NOT NULL,
                data_set_offset \(raw: integer) NOT NULL,
                is_faithful \(raw: integer) NOT NULL,
                digest \(raw: dialect.bytes) NOT NULL,
                frame_layout \(raw: dialect.bytes) NOT NULL,
                version \(raw: integer) NOT NULL,
                stored_at \(raw: integer) NOT NULL,
                attributes \(raw: dialect.bytes) NOT NULL
            )
            """,
            "CREATE UNIQUE INDEX instances_by_uid ON instances (uid)",
            "CREATE INDEX instances_by_location ON instances (location)",
            """
            CREATE TABLE instance_documents (
                id \(raw: integer) PRIMARY KEY,
                document \(raw: dialect.bytes) NOT NULL
            )
            """,
        ]
    }

    private static func feeds(_ dialect: SQLDialect) -> [SQLStatement] {
        let (text, integer) = (dialect.text, dialect.integer)
        return [
            """
            CREATE TABLE tombstones (
                study_uid \(raw: text) NOT NULL,
                series_uid \(raw: text) NOT NULL,
                instance_uid \(raw: text) NOT NULL,
                deleted_at \(raw: integer) NOT NULL,
                PRIMARY KEY (study_uid, series_uid, instance_uid)
            )\(raw: dialect.clustered)
            """,
            """
            CREATE TABLE changes (
                sequence \(raw: integer) PRIMARY KEY,
                kind \(raw: integer) NOT NULL,
                changed_at \(raw: integer) NOT NULL,
                study_uid \(raw: text) NOT NULL,
                series_uid \(raw: text) NOT NULL,
                instance_uid \(raw: text) NOT NULL
            )
            """,
        ]
    }
}
