import DICOMCore

/// Makes matching keys, return keys and sort keys of the parameters of a search (PS3.18 8.3.4, PS3.4 C.2.2.2).
struct KeyReader {
    let attributes: SearchableAttributes
    let features: SearchFeatures
    /// The levels that keys may be of.
    private let levels: Set<QueryLevel>
    private let level: QueryLevel

    var isFuzzy = false
    var matchesEmpty = false
    var matchesMultiple = false
    /// Names of what was passed over.
    private(set) var ignored: [String] = []

    init(resource: ResourcePath, attributes: SearchableAttributes, features: SearchFeatures) {
        self.attributes = attributes
        self.features = features
        level = resource.searchLevel ?? .study
        switch resource {
        case .series: levels = [.series]
        case .allSeries: levels = [.study, .series]
        case .instances(_, nil): levels = [.series, .instance]
        case .instances: levels = [.instance]
        case .allInstances: levels = [.study, .series, .instance]
        case .studies, .service, .uriService, .entity, .bulkDataValue, .frames: levels = [.study]
        }
    }

    /// What was asked for and is not done.
    var warnings: [String] {
        var texts: [String] = []
        if isFuzzy && !features.fuzzyMatching {
            texts.append(
                "The fuzzymatching parameter is not supported. Only literal matching has been performed.")
        }
        if matchesMultiple && !features.multipleValueMatching {
            texts.append(
                "The multiplevaluematching parameter is not supported. "
                    + "Multiple Value Matching has not been performed.")
        }
        if matchesEmpty && !features.emptyValueMatching {
            texts.append(
                "The emptyvaluematching parameter is not supported. Empty Value Matching has not been performed.")
        }
        return texts
    }

    // MARK: - Matching

    mutating func readKeys(_ keys: [QueryParameters.Key], into query: inout InstanceQuery) throws(DICOMWebError) {
        var paths: [(path: AttributePath, key: QueryParameters.Key)] = []
        for key in keys {
            guard let path = AttributePath(key.name) else {
                ignored.append(key.name)
                continue
            }
            guard !paths.contains(where: { $0.path == path }) else {
                throw QueryParameters.malformed("\(path) is given more than once.", "PS3.18 8.3.4.1")
            }
            paths.append((path, key))
        }
        for (path, key) in paths {
            try requireCreators(of: path, in: paths.map(\.path))
            try readKey(path, key, into: &query)
        }
        combineDates(in: &query)
    }

    /// A private attribute is known by its creator only; which block the request writes it in does not matter
    /// (PS3.18 8.3.4.1, PS3.5 7.8.1).
    private func requireCreators(of path: AttributePath, in paths: [AttributePath]) throws(DICOMWebError) {
        for (depth, tag) in path.tags.enumerated() where tag.isPrivate && !tag.isPrivateCreator {
            let creator = AttributePath(path.tags[..<depth] + [Tag(tag.group, tag.element >> 8)])
            guard paths.contains(creator) || paths.contains(AttributePath(creator.last)) else {
                throw QueryParameters.malformed(
                    "A private attribute needs its Private Creator as another key.", "PS3.18 8.3.4.1")
            }
        }
    }

    private mutating func readKey(
        _ path: AttributePath, _ key: QueryParameters.Key, into query: inout InstanceQuery
    ) throws(DICOMWebError) {
        // 1. What tells how to read the request, but is no key.
        if path == AttributePath(.specificCharacterSet) { return }
        if path == AttributePath(.timezoneOffsetFromUTC) {
            query.timezoneOffset = try timezoneOffset(text(key, keepsPlus: true))
            return
        }
        // 2. Keys that this resource has.
        guard let attribute = attributes[path], levels.contains(attribute.level) else {
            ignored.append(key.name)
            return
        }
        let value = text(key, keepsPlus: attribute.vr == .DT)
        guard attribute.matching != .none else {
            // It can still be asked for by universal matching.
            if value.isEmpty || value == "*" {
                query.matches.append(AttributeMatch(path, .universal))
            } else {
                ignored.append(key.name)
            }
            return
        }
        // 3. The kind of matching.
        guard let condition = condition(attribute, value) else {
            throw QueryParameters.malformed("The value for \(path) is malformed.", "PS3.4 C.2.2.2")
        }
        query.matches.append(AttributeMatch(path, condition))
    }

    /// The value without blanks around it, which never count.
    private func text(_ key: QueryParameters.Key, keepsPlus: Bool) -> String {
        let text = PercentEncoding.decoded(key.rawValue, plusIsSpace: !keepsPlus) ?? ""
        return Self.trimmed(text[...])
    }

    private func condition(_ attribute: SearchableAttribute, _ value: String) -> AttributeMatch.Condition? {
        if value.isEmpty || value.utf8.allSatisfy({ $0 == 0x2A }) { return .universal }
        if matchesEmpty, features.emptyValueMatching, value == "\"\"" { return .emptyValue }
        switch attribute.matching {
        case .none: return nil
        case .uid: return uids(value).map { .uidList($0) }
        case .text: return pattern(value)
        case .code: return codes(attribute, value)
        case .personName: return .personName(Self.collapsed(value), fuzzy: isFuzzy && features.fuzzyMatching)
        case .date: return DateRange(value).map { .dateRange($0) }
        case .time: return TimeRange(value).map { .timeRange($0) }
        case .dateTime: return DateTimeRange(value).map { .dateTimeRange($0) }
        case .number: return number(value).map { .number($0) }
        }
    }

    private func pattern(_ value: String) -> AttributeMatch.Condition {
        value.utf8.contains { $0 == 0x2A || $0 == 0x3F } ? .wildcard(Self.collapsed(value)) : .single(value)
    }

    private func uids(_ value: String) -> [UID]? {
        var uids: [UID] = []
        for item in value.split(omittingEmptySubsequences: false, whereSeparator: { $0 == "," || $0 == "\\" }) {
            guard let uid = UID(Self.trimmed(item)) else { return nil }
            if !uids.contains(uid) { uids.append(uid) }
        }
        return uids
    }

    private func codes(_ attribute: SearchableAttribute, _ value: String) -> AttributeMatch.Condition {
        let isMultiValued = attribute.path == AttributePath(.modalitiesInStudy)
        let matchesAll = matchesMultiple && features.multipleValueMatching && isMultiValued
        guard matchesAll || features.codeListIsAnyOf else { return pattern(value) }
        let codes = value.split { $0 == "," || $0 == "\\" }.map { Self.trimmed($0) }.filter { !$0.isEmpty }
        guard codes.count > 1 else { return pattern(codes.first ?? value) }
        return matchesAll ? .allOf(codes) : .anyOf(codes)
    }

    private func number(_ value: String) -> Double? {
        let isPlain = value.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x2B, 0x2D, 0x2E, 0x45, 0x65: true
            default: false
            }
        }
        guard isPlain, let number = Double(value), number.isFinite else { return nil }
        return number
    }

    private func timezoneOffset(_ value: String) throws(DICOMWebError) -> TimezoneOffset? {
        if value.isEmpty { return nil }
        guard let offset = TimezoneOffset(value) else {
            throw QueryParameters.malformed("TimezoneOffsetFromUTC is malformed.", "PS3.3 C.12.1.1.8")
        }
        return offset
    }

    /// A range of dates and one of the times that belong to them are one interval, from the first date at the first
    /// time to the last date at the last time (PS3.4 C.2.2.2.5.4).
    private func combineDates(in query: inout InstanceQuery) {
        for pair in attributes.datePairs {
            guard let dateIndex = query.matches.firstIndex(where: { $0.path == AttributePath(pair.date) }),
                let timeIndex = query.matches.firstIndex(where: { $0.path == AttributePath(pair.time) }),
                case .dateRange(let dates) = query.matches[dateIndex].condition, !dates.isSingle,
                case .timeRange(let times) = query.matches[timeIndex].condition, !times.isSingle
            else { continue }
            query.matches[dateIndex].condition = .combined(date: dates, time: times, timeTag: pair.time)
            query.matches.remove(at: timeIndex)
        }
    }

    // MARK: - Return keys and order

    mutating func readIncludes(_ names: [String], into query: inout InstanceQuery) throws(DICOMWebError) {
        for name in names {
            let name = Self.trimmed(name[...])
            if name.isEmpty { continue }
            if name == "all" {
                query.includesAll = true
            } else if let tag = AttributePath(name)?.tags.first {
                // Names of lower levels are known, but nothing is returned for them. What cannot be matched may still
                // be indexed: the archive knows.
                if attributes.level(of: tag).map({ $0 <= query.level }) ?? true { query.includes.insert(tag) }
            } else {
                ignored.append(name)
            }
        }
    }

    func readOrder(_ names: [String], into query: inout InstanceQuery) throws(DICOMWebError) {
        for name in names {
            var name = Self.trimmed(name[...])
            let isDescending = name.hasPrefix("-")
            if isDescending || name.hasPrefix("+") { name.removeFirst() }
            guard let path = AttributePath(name), path.tags.count == 1, let attribute = attributes[path],
                attribute.level <= level, attribute.vr != .SQ
            else {
                throw QueryParameters.malformed(
                    "orderby names an attribute that results are not sorted by.", "PS3.18 8.3.4")
            }
            query.order.append(InstanceQuery.SortKey(path.last, isDescending: isDescending))
        }
    }

    // MARK: - Text

    private static func trimmed(_ text: Substring) -> String {
        var text = text
        while text.utf8.first == 0x20 { text = text.dropFirst() }
        while text.utf8.last == 0x20 { text = text.dropLast() }
        return String(text)
    }

    /// A run of asterisks matches what one does.
    private static func collapsed(_ pattern: String) -> String {
        var result = ""
        var previous: Unicode.Scalar?
        for scalar in pattern.unicodeScalars {
            if scalar != "*" || previous != "*" { result.unicodeScalars.append(scalar) }
            previous = scalar
        }
        return result
    }
}
