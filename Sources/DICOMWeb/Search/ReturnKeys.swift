public import DICOMCore

/// Which attributes a search result has (PS3.18 10.6.1.2.3, 10.6.3.3).
public struct ReturnKeys: Hashable, Sendable {
    /// One attribute of a result.
    public struct Key: Hashable, Sendable {
        public var tag: Tag
        /// The level whose value is returned.
        public var level: QueryLevel
        /// Whether it is there without a value when there is none.
        public var isRequired: Bool

        public init(_ tag: Tag, _ level: QueryLevel, isRequired: Bool) {
            self.tag = tag
            self.level = level
            self.isRequired = isRequired
        }
    }

    /// Ascending by tag, each once.
    public let keys: [Key]
    /// The levels whose attributes are returned by default, highest first.
    public let levels: [QueryLevel]

    /// The defaults of the resource that the query came from, what it includes, and what it matches.
    public init(for query: InstanceQuery, attributes: SearchableAttributes = .standard) {
        levels = Self.levels(for: query)
        var keys: [Tag: Key] = [:]
        func add(_ tag: Tag, _ level: QueryLevel, isRequired: Bool = false) {
            let known = keys[tag]
            // Where several levels have an attribute, that of the result's own level counts.
            let isLower = known.map { $0.level < level } ?? true
            keys[tag] = Key(
                tag, isLower ? level : known?.level ?? level, isRequired: isRequired || known?.isRequired ?? false)
        }
        for level in levels {
            for (tag, isRequired) in Self.defaults(of: level) {
                // What describes the entity itself is returned for the entity that was searched for.
                if level != query.level, Self.ofResultOnly.contains(tag) { continue }
                add(tag, level, isRequired: isRequired)
            }
        }
        if query.includesAll {
            for attribute in attributes.attributes where levels.contains(attribute.level) {
                add(attribute.topTag, attribute.level)
            }
        }
        for tag in query.includes.union(query.matches.map { $0.path.tags.first ?? $0.path.last }) {
            guard keys[tag] == nil, let level = attributes.level(of: tag), level <= query.level else { continue }
            // Keys are returned even when they have no value.
            add(tag, level, isRequired: !query.includes.contains(tag))
        }
        for match in query.matches {
            if case .combined(_, _, let time) = match.condition, let level = attributes.level(of: time) {
                add(time, level, isRequired: true)
            }
        }
        self.keys = keys.values.sorted { $0.tag < $1.tag }
    }

    private static func levels(for query: InstanceQuery) -> [QueryLevel] {
        switch query.level {
        case .study: [.study]
        case .series: query.study == nil ? [.study, .series] : [.series]
        case .instance:
            query.study == nil
                ? [.study, .series, .instance] : query.series == nil ? [.series, .instance] : [.instance]
        }
    }

    private static let ofResultOnly: Set<Tag> = [.retrieveURL, .instanceAvailability]

    /// The attributes that a level returns unasked, and whether they are there even when empty. Beyond the standard's
    /// tables these are the descriptions that viewers show.
    public static func defaults(of level: QueryLevel) -> [(tag: Tag, isRequired: Bool)] {
        switch level {
        case .study: studyDefaults
        case .series: seriesDefaults
        case .instance: instanceDefaults
        }
    }

    private static let studyDefaults: [(tag: Tag, isRequired: Bool)] = [
        (.specificCharacterSet, false), (.studyDate, true), (.studyTime, true), (.accessionNumber, true),
        (.instanceAvailability, false), (.modalitiesInStudy, true), (.referringPhysicianName, true),
        (.timezoneOffsetFromUTC, false), (.studyDescription, false), (.retrieveURL, true), (.patientName, true),
        (.patientID, true), (.patientBirthDate, true), (.patientSex, true), (.patientAge, false),
        (.studyInstanceUID, true), (.studyID, true), (.numberOfStudyRelatedSeries, true),
        (.numberOfStudyRelatedInstances, true),
    ]

    private static let seriesDefaults: [(tag: Tag, isRequired: Bool)] = [
        (.specificCharacterSet, false), (.modality, true), (.timezoneOffsetFromUTC, false), (.seriesDescription, false),
        (.retrieveURL, true), (.bodyPartExamined, false), (.seriesInstanceUID, true), (.seriesNumber, true),
        (.numberOfSeriesRelatedInstances, true), (.performedProcedureStepStartDate, false),
        (.performedProcedureStepStartTime, false), (.requestAttributesSequence, false),
    ]

    private static let instanceDefaults: [(tag: Tag, isRequired: Bool)] = [
        (.specificCharacterSet, false), (.sopClassUID, true), (.sopInstanceUID, true), (.instanceAvailability, false),
        (.timezoneOffsetFromUTC, false), (.retrieveURL, true), (.instanceNumber, true), (.numberOfFrames, false),
        (.rows, false), (.columns, false), (.bitsAllocated, false), (.availableTransferSyntaxUID, false),
    ]
}
