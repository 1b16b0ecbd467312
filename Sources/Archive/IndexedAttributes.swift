package import DICOMCore

/// One attribute that the index keeps: at which level, whether it is always returned, and how it is matched
/// (PS3.18 10.6.1.2.3, 10.6.3.3).
package struct IndexedAttribute: Sendable {
    /// When a search returns the attribute without being asked.
    package enum Presence: Hashable, Sendable {
        /// Always, without a value where there is none.
        case required
        /// When the entity has it.
        case known
        /// When asked for by `includefield`, or used for matching.
        case optional
    }

    /// The columns of a person name: folded component groups, and codes for how they sound.
    struct NameColumns: Sendable {
        var alphabetic: StaticString
        var ideographic: StaticString
        var phonetic: StaticString
        var codes: StaticString
    }

    /// How a condition on it becomes SQL. Tables are `st`, `se` and `i`.
    enum Key: Sendable {
        /// A text column, compared as it is.
        case text(StaticString)
        case personName(NameColumns)
        /// A column of whole numbers, counts too.
        case number(StaticString)
        /// A column of dates as numbers, 20240115.
        case date(StaticString)
        /// A column of microseconds since midnight.
        case time(StaticString)
        case uid(StaticString)
        /// A column with values in backslashes, `\CT\PT\`.
        case values(StaticString)
        /// No column: matched on the prepared value of each candidate row.
        case fragment
        /// Not matched at all.
        case none
    }

    package let tag: Tag
    package let vr: VR
    package let level: QueryLevel
    package let presence: Presence
    let key: Key
    /// Made up while answering, not kept with the attributes.
    package let isComputed: Bool

    /// Whether a search may name it as a matching key.
    package var isMatchable: Bool { if case .none = key { false } else { true } }
}

/// The attributes of each level that the index keeps, returns and matches.
package struct IndexedAttributes: Sendable {
    /// The set that this archive is built with.
    package static let standard = IndexedAttributes()

    /// All of them; by level, then by tag.
    package let all: [IndexedAttribute]
    private let byTag: [Tag: [IndexedAttribute]]

    private init() {
        all = (Self.study + Self.series + Self.instance).sorted { ($0.level, $0.tag) < ($1.level, $1.tag) }
        byTag = Dictionary(grouping: all, by: \.tag)
    }

    /// The attribute as it is known at this level.
    package func attribute(_ tag: Tag, at level: QueryLevel) -> IndexedAttribute? {
        byTag[tag]?.first { $0.level == level }
    }

    /// The attribute at the lowest level that is not below `level`: what a search at `level` means by it.
    package func attribute(_ tag: Tag, visibleAt level: QueryLevel) -> IndexedAttribute? {
        byTag[tag]?.last { $0.level <= level }
    }

    /// The attributes of one level, in tag order.
    package func attributes(of level: QueryLevel) -> [IndexedAttribute] { all.filter { $0.level == level } }

    /// Tags whose values are kept at this level, in order.
    func keptTags(of level: QueryLevel) -> [Tag] {
        all.filter { $0.level == level && !$0.isComputed }.map(\.tag)
    }
}

extension IndexedAttributes {
    private static func make(
        _ level: QueryLevel, _ presence: IndexedAttribute.Presence, _ tag: UInt32, _ vr: VR,
        _ key: IndexedAttribute.Key = .fragment, computed: Bool = false
    ) -> IndexedAttribute {
        IndexedAttribute(
            tag: Tag(rawValue: tag), vr: vr, level: level, presence: presence, key: key, isComputed: computed)
    }

    private static var study: [IndexedAttribute] {
        [
            make(.study, .required, 0x0008_0020, .DA, .date("st.study_date")),
            make(.study, .required, 0x0008_0030, .TM, .time("st.study_time")),
            make(.study, .required, 0x0008_0050, .SH, .text("st.accession_number")),
            make(.study, .known, 0x0008_0056, .CS, .none, computed: true),
            make(.study, .required, 0x0008_0061, .CS, .values("st.modalities"), computed: true),
            make(.study, .optional, 0x0008_0062, .UI, .values("st.sop_classes"), computed: true),
            make(.study, .required, 0x0008_0090, .PN, .personName(.referringPhysician)),
            make(.study, .known, 0x0008_0201, .SH, .none),
            make(.study, .known, 0x0008_1030, .LO, .text("st.description")),
            make(.study, .optional, 0x0008_1032, .SQ),
            make(.study, .optional, 0x0008_1048, .PN),
            make(.study, .optional, 0x0008_1060, .PN),
            make(.study, .optional, 0x0008_1080, .LO),
            make(.study, .known, 0x0008_1190, .UR, .none, computed: true),
            make(.study, .required, 0x0010_0010, .PN, .personName(.patientName)),
            make(.study, .required, 0x0010_0020, .LO, .text("st.patient_id")),
            make(.study, .optional, 0x0010_0021, .LO, .text("st.patient_id_issuer")),
            make(.study, .required, 0x0010_0030, .DA, .date("st.patient_birth_date")),
            make(.study, .optional, 0x0010_0032, .TM),
            make(.study, .required, 0x0010_0040, .CS, .text("st.patient_sex")),
            make(.study, .optional, 0x0010_1000, .LO),
            make(.study, .optional, 0x0010_1002, .SQ),
            make(.study, .known, 0x0010_1010, .AS),
            make(.study, .optional, 0x0010_1020, .DS),
            make(.study, .optional, 0x0010_1030, .DS),
            make(.study, .optional, 0x0010_4000, .LT),
            make(.study, .required, 0x0020_000D, .UI, .uid("st.uid"), computed: true),
            make(.study, .required, 0x0020_0010, .SH, .text("st.study_id")),
            make(.study, .required, 0x0020_1206, .IS, .number("st.series_count"), computed: true),
            make(.study, .required, 0x0020_1208, .IS, .number("st.instance_count"), computed: true),
        ]
    }

    private static var series: [IndexedAttribute] {
        [
            make(.series, .optional, 0x0008_0021, .DA, .date("se.series_date")),
            make(.series, .optional, 0x0008_0031, .TM, .time("se.series_time")),
            make(.series, .known, 0x0008_0056, .CS, .none, computed: true),
            make(.series, .required, 0x0008_0060, .CS, .text("se.modality")),
            make(.series, .optional, 0x0008_0070, .LO),
            make(.series, .optional, 0x0008_0080, .LO),
            make(.series, .known, 0x0008_0201, .SH, .none),
            make(.series, .optional, 0x0008_1010, .SH),
            make(.series, .known, 0x0008_103E, .LO, .text("se.description")),
            make(.series, .optional, 0x0008_1040, .LO),
            make(.series, .optional, 0x0008_1050, .PN),
            make(.series, .optional, 0x0008_1070, .PN),
            make(.series, .optional, 0x0008_1090, .LO),
            make(.series, .required, 0x0008_1190, .UR, .none, computed: true),
            make(.series, .known, 0x0018_0015, .CS, .text("se.body_part")),
            make(.series, .optional, 0x0018_1000, .LO),
            make(.series, .optional, 0x0018_1020, .LO),
            make(.series, .optional, 0x0018_1030, .LO),
            make(.series, .optional, 0x0018_5100, .CS),
            make(.series, .required, 0x0020_000E, .UI, .uid("se.uid"), computed: true),
            make(.series, .required, 0x0020_0011, .IS, .number("se.number")),
            make(.series, .optional, 0x0020_0052, .UI),
            make(.series, .optional, 0x0020_0060, .CS),
            make(.series, .required, 0x0020_1209, .IS, .number("se.instance_count"), computed: true),
            make(.series, .known, 0x0040_0244, .DA, .date("se.procedure_step_date")),
            make(.series, .known, 0x0040_0245, .TM, .time("se.procedure_step_time")),
            make(.series, .optional, 0x0040_0253, .SH),
            make(.series, .optional, 0x0040_0254, .LO),
            make(.series, .known, 0x0040_0275, .SQ),
        ]
    }

    private static var instance: [IndexedAttribute] {
        [
            make(.instance, .optional, 0x0008_0008, .CS),
            make(.instance, .required, 0x0008_0016, .UI, .uid("i.sop_class"), computed: true),
            make(.instance, .required, 0x0008_0018, .UI, .uid("i.uid"), computed: true),
            make(.instance, .optional, 0x0008_0022, .DA),
            make(.instance, .optional, 0x0008_0023, .DA),
            make(.instance, .optional, 0x0008_002A, .DT),
            make(.instance, .optional, 0x0008_0032, .TM),
            make(.instance, .optional, 0x0008_0033, .TM),
            make(.instance, .known, 0x0008_0056, .CS, .none, computed: true),
            make(.instance, .known, 0x0008_0201, .SH, .none),
            make(.instance, .optional, 0x0008_1115, .SQ),
            make(.instance, .required, 0x0008_1190, .UR, .none, computed: true),
            make(.instance, .optional, 0x0008_1140, .SQ),
            make(.instance, .optional, 0x0008_2112, .SQ),
            make(.instance, .known, 0x0008_3002, .UI, .text("i.transfer_syntax"), computed: true),
            make(.instance, .optional, 0x0020_0012, .IS),
            make(.instance, .required, 0x0020_0013, .IS, .number("i.number")),
            make(.instance, .known, 0x0028_0008, .IS),
            make(.instance, .known, 0x0028_0010, .US),
            make(.instance, .known, 0x0028_0011, .US),
            make(.instance, .known, 0x0028_0100, .US),
            make(.instance, .optional, 0x0040_A043, .SQ),
            make(.instance, .optional, 0x0040_A491, .CS),
            make(.instance, .optional, 0x0040_A493, .CS),
            make(.instance, .optional, 0x0042_0010, .ST),
            make(.instance, .optional, 0x0070_0080, .CS),
            make(.instance, .optional, 0x0070_0081, .LO),
        ]
    }
}

extension IndexedAttribute.NameColumns {
    static var patientName: Self {
        Self(
            alphabetic: "st.patient_name", ideographic: "st.patient_name_ideographic",
            phonetic: "st.patient_name_phonetic", codes: "st.patient_name_codes")
    }

    static var referringPhysician: Self {
        Self(
            alphabetic: "st.referring_physician", ideographic: "st.referring_physician_ideographic",
            phonetic: "st.referring_physician_phonetic", codes: "st.referring_physician_codes")
    }
}
