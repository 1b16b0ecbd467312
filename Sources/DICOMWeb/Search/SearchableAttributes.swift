public import DICOMCore

/// An attribute that searches know: where it belongs, and how it can be matched.
public struct SearchableAttribute: Hashable, Sendable {
    /// What a key's value can be, and what it then means (PS3.4 C.2.2.2).
    public enum Matching: Hashable, Sendable {
        /// Returned only.
        case none
        /// Single value or list.
        case uid
        /// Single value or wildcards.
        case text
        /// As text; a list with commas means any of them, by custom.
        case code
        /// Single value or wildcards, whatever the case.
        case personName
        /// Single value or range.
        case date, time, dateTime
        /// Equal as numbers.
        case number
    }

    /// Where the value comes from.
    public enum Origin: Hashable, Sendable {
        /// From the instances' data sets.
        case stored
        /// From what is in the archive, or from the request.
        case computed
    }

    public var path: AttributePath
    public var level: QueryLevel
    /// That of a sequence's attribute is its own, not SQ.
    public var vr: VR
    public var matching: Matching
    public var origin: Origin

    public init(
        _ path: AttributePath, _ level: QueryLevel, _ vr: VR, _ matching: Matching, origin: Origin = .stored
    ) {
        self.path = path
        self.level = level
        self.vr = vr
        self.matching = matching
        self.origin = origin
    }

    /// The element of a result that holds the attribute: itself, or the outermost sequence around it.
    public var topTag: Tag { path.tags.first ?? path.last }
}

/// The attributes that a server indexes: which keys it can match and what it can return (PS3.18 10.6.1.2, 10.6.3.3).
///
/// The archive builds its index from the same table that requests are read with.
public struct SearchableAttributes: Sendable {
    /// A date and the time that belongs to it: together they are one moment (PS3.4 C.2.2.2.5.4).
    public struct DatePair: Hashable, Sendable {
        public var date: Tag
        public var time: Tag

        public init(date: Tag, time: Tag) {
            self.date = date
            self.time = time
        }
    }

    public let attributes: [SearchableAttribute]
    public let datePairs: [DatePair]
    private let byPath: [AttributePath: SearchableAttribute]
    private let levels: [Tag: QueryLevel]

    public init(_ attributes: [SearchableAttribute], datePairs: [DatePair]) {
        self.attributes = attributes
        self.datePairs = datePairs
        byPath = [AttributePath: SearchableAttribute](
            attributes.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
        levels = [Tag: QueryLevel](attributes.map { ($0.topTag, $0.level) }, uniquingKeysWith: { first, _ in first })
    }

    public subscript(path: AttributePath) -> SearchableAttribute? { byPath[path] }

    /// The level of the attribute that a result holds under this tag; `nil` when it is not returned at all.
    public func level(of tag: Tag) -> QueryLevel? { levels[tag] }

    /// The attributes of a level.
    public func attributes(of level: QueryLevel) -> [SearchableAttribute] { attributes.filter { $0.level == level } }
}

extension SearchableAttributes {
    /// The keys that PS3.18 Table 10.6.1-5 requires, those that cost little, and what Tables 10.6.3-3 to 10.6.3-5 return.
    public static let standard = SearchableAttributes(
        studyAttributes + seriesAttributes + instanceAttributes,
        datePairs: [
            DatePair(date: .studyDate, time: .studyTime), DatePair(date: .seriesDate, time: .seriesTime),
            DatePair(date: .performedProcedureStepStartDate, time: .performedProcedureStepStartTime),
            DatePair(date: .acquisitionDate, time: .acquisitionTime),
            DatePair(date: .contentDate, time: .contentTime),
            DatePair(date: .patientBirthDate, time: .patientBirthTime),
        ])

    private static func stored(
        _ level: QueryLevel, _ tag: Tag, _ vr: VR, _ matching: SearchableAttribute.Matching
    ) -> SearchableAttribute {
        SearchableAttribute(AttributePath(tag), level, vr, matching)
    }

    private static func computed(
        _ level: QueryLevel, _ tag: Tag, _ vr: VR, _ matching: SearchableAttribute.Matching = .none
    ) -> SearchableAttribute {
        SearchableAttribute(AttributePath(tag), level, vr, matching, origin: .computed)
    }

    private static func item(
        _ level: QueryLevel, _ sequence: Tag, _ tag: Tag, _ vr: VR, _ matching: SearchableAttribute.Matching
    ) -> SearchableAttribute {
        SearchableAttribute(AttributePath([sequence, tag]), level, vr, matching)
    }

    private static let studyAttributes: [SearchableAttribute] = [
        computed(.study, .specificCharacterSet, .CS),
        stored(.study, .studyDate, .DA, .date),
        stored(.study, .studyTime, .TM, .time),
        stored(.study, .accessionNumber, .SH, .text),
        computed(.study, .instanceAvailability, .CS),
        computed(.study, .modalitiesInStudy, .CS, .code),
        computed(.study, .sopClassesInStudy, .UI, .uid),
        stored(.study, .referringPhysicianName, .PN, .personName),
        stored(.study, .timezoneOffsetFromUTC, .SH, .none),
        stored(.study, .studyDescription, .LO, .text),
        computed(.study, .retrieveURL, .UR),
        stored(.study, .patientName, .PN, .personName),
        stored(.study, .patientID, .LO, .text),
        stored(.study, .issuerOfPatientID, .LO, .text),
        stored(.study, .patientBirthDate, .DA, .date),
        stored(.study, .patientBirthTime, .TM, .time),
        stored(.study, .patientSex, .CS, .text),
        stored(.study, .otherPatientIDsSequence, .SQ, .none),
        item(.study, .otherPatientIDsSequence, .patientID, .LO, .text),
        stored(.study, .patientAge, .AS, .none),
        stored(.study, .studyInstanceUID, .UI, .uid),
        stored(.study, .studyID, .SH, .text),
        computed(.study, .numberOfStudyRelatedSeries, .IS),
        computed(.study, .numberOfStudyRelatedInstances, .IS),
    ]

    private static let seriesAttributes: [SearchableAttribute] = [
        stored(.series, .seriesDate, .DA, .date),
        stored(.series, .seriesTime, .TM, .time),
        stored(.series, .modality, .CS, .code),
        stored(.series, .manufacturer, .LO, .text),
        stored(.series, .institutionName, .LO, .text),
        stored(.series, .stationName, .SH, .text),
        stored(.series, .seriesDescription, .LO, .text),
        stored(.series, .institutionalDepartmentName, .LO, .text),
        stored(.series, .manufacturerModelName, .LO, .text),
        stored(.series, .bodyPartExamined, .CS, .text),
        stored(.series, .protocolName, .LO, .text),
        stored(.series, .seriesInstanceUID, .UI, .uid),
        stored(.series, .seriesNumber, .IS, .number),
        stored(.series, .frameOfReferenceUID, .UI, .uid),
        computed(.series, .numberOfSeriesRelatedInstances, .IS),
        stored(.series, .performedProcedureStepStartDate, .DA, .date),
        stored(.series, .performedProcedureStepStartTime, .TM, .time),
        stored(.series, .requestAttributesSequence, .SQ, .none),
        item(.series, .requestAttributesSequence, .scheduledProcedureStepID, .SH, .text),
        item(.series, .requestAttributesSequence, .requestedProcedureID, .SH, .text),
    ]

    private static let instanceAttributes: [SearchableAttribute] = [
        stored(.instance, .sopClassUID, .UI, .uid),
        stored(.instance, .sopInstanceUID, .UI, .uid),
        stored(.instance, .acquisitionDate, .DA, .date),
        stored(.instance, .acquisitionTime, .TM, .time),
        stored(.instance, .contentDate, .DA, .date),
        stored(.instance, .contentTime, .TM, .time),
        stored(.instance, .acquisitionDateTime, .DT, .dateTime),
        stored(.instance, .instanceNumber, .IS, .number),
        stored(.instance, .numberOfFrames, .IS, .number),
        stored(.instance, .rows, .US, .none),
        stored(.instance, .columns, .US, .none),
        stored(.instance, .bitsAllocated, .US, .none),
        computed(.instance, .availableTransferSyntaxUID, .UI),
    ]
}
