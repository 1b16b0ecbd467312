import DICOMCore

/// Which attributes a search returns, in tag order, and where each comes from: the same for every match of a page.
struct ReturnPlan: Sendable {
    /// Attributes that are made up from columns.
    enum Computed: Hashable, Sendable {
        case availability, retrieveURL, modalities, sopClasses
        case studyUID, seriesUID, instanceUID, sopClass, transferSyntax
        case seriesOfStudy, instancesOfStudy, instancesOfSeries
    }

    enum Source: Hashable, Sendable {
        case study, series, instance
        case computed(Computed)
    }

    struct Step: Hashable, Sendable {
        var tag: UInt32
        var vr: VR
        var source: Source
        var isRequired: Bool
    }

    let steps: [Step]
    /// Levels whose attributes occur in the plan.
    let levels: Set<QueryLevel>
    /// At most so many bytes are keys, punctuation and made-up values of a fixed length.
    let fixedLength: Int

    /// The attributes of the levels that the resource returns (PS3.18 Table 10.6.1-1), what was asked for, and what
    /// was matched on.
    init(_ query: InstanceQuery, attributes: IndexedAttributes = .standard) {
        var returned: Set<QueryLevel> = [query.level]
        if query.level > .study, query.study == nil { returned.insert(.study) }
        if query.level == .instance, query.series == nil { returned.insert(.series) }
        let asked = query.includes.union(query.matches.compactMap(\.path.tags.first))

        var byTag: [UInt32: (level: QueryLevel, step: Step)] = [:]
        for attribute in attributes.all where attribute.level <= query.level {
            let isAsked = asked.contains(attribute.tag)
            let isReturned: Bool
            if returned.contains(attribute.level) {
                isReturned = attribute.presence != .optional || query.includesAll || isAsked
            } else {
                isReturned = isAsked
            }
            guard isReturned else { continue }
            let source: Source
            if attribute.isComputed {
                guard let computed = Self.computed(attribute, at: query.level) else { continue }
                source = .computed(computed)
            } else {
                switch attribute.level {
                case .study: source = .study
                case .series: source = .series
                case .instance: source = .instance
                }
            }
            // Where levels share an attribute, the lowest one that is returned counts: `all` goes down by level.
            let step = Step(
                tag: attribute.tag.rawValue, vr: attribute.vr, source: source,
                isRequired: attribute.presence == .required || isAsked)
            byTag[step.tag] = (attribute.level, step)
        }
        steps = byTag.values.map(\.step).sorted { $0.tag < $1.tag }
        levels = Set(byTag.values.map(\.level))
        fixedLength = steps.count * 64 + 64
    }

    private static func computed(_ attribute: IndexedAttribute, at level: QueryLevel) -> Computed? {
        switch (attribute.tag.rawValue, attribute.level) {
        case (0x0008_0056, _): .availability
        case (0x0008_0061, _): .modalities
        case (0x0008_0062, _): .sopClasses
        // Of the level of the match only.
        case (0x0008_1190, level): .retrieveURL
        case (0x0020_000D, _): .studyUID
        case (0x0020_000E, _): .seriesUID
        case (0x0008_0018, _): .instanceUID
        case (0x0008_0016, _): .sopClass
        case (0x0008_3002, _): .transferSyntax
        case (0x0020_1206, _): .seriesOfStudy
        case (0x0020_1208, _): .instancesOfStudy
        case (0x0020_1209, _): .instancesOfSeries
        default: nil
        }
    }
}
