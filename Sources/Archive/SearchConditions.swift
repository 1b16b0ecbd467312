import DICOMCore
import SQLStorage

/// The matching keys of a query as conditions of SQL, by the level of the row that they look at; and those that have no
/// column, which are tried on the prepared attributes of each candidate (PS3.4 C.2.2.2).
struct SearchConditions {
    var study: [SQLStatement] = []
    var series: [SQLStatement] = []
    var instance: [SQLStatement] = []
    /// Conditions without a column.
    var fragments: [FragmentMatch] = []
    /// The lowest level at which a condition leads to few rows by an index.
    var selectiveLevel: QueryLevel?

    /// The zone of the query's dates and times, when it has one.
    private let zone: SearchZone?

    /// - Parameter assumed: the zone of stored dates and times whose data set names none.
    init(
        _ query: InstanceQuery, assuming assumed: TimezoneOffset = .utc, attributes: IndexedAttributes = .standard
    ) {
        zone = query.timezoneOffset.map { SearchZone(requested: $0, assumed: assumed) }
        if let study = query.study {
            self.study.append("st.uid = \(study.string)")
            isSelective(at: .study)
        }
        if let series = query.series {
            self.series.append("se.uid = \(series.string)")
            isSelective(at: .series)
        }
        var bySequence: [Tag: [AttributeMatch]] = [:]
        for match in query.matches {
            guard let first = match.path.tags.first else { continue }
            if match.path.tags.count > 1 {
                bySequence[first, default: []].append(match)
            } else if let attribute = attributes.attribute(first, visibleAt: query.level) {
                add(match, attribute, query: query)
            }
        }
        for (sequence, matches) in bySequence.sorted(by: { $0.key < $1.key }) {
            guard let attribute = attributes.attribute(sequence, visibleAt: query.level) else { continue }
            addItems(of: attribute, matches)
        }
    }

    private mutating func isSelective(at level: QueryLevel) {
        selectiveLevel = max(selectiveLevel ?? level, level)
    }

    private mutating func add(_ condition: SQLStatement, at level: QueryLevel) {
        switch level {
        case .study: study.append(condition)
        case .series: series.append(condition)
        case .instance: instance.append(condition)
        }
    }

    // MARK: - One attribute

    private mutating func add(_ match: AttributeMatch, _ attribute: IndexedAttribute, query: InstanceQuery) {
        if case .universal = match.condition { return }
        if let zone, SearchZone.matters(to: match.condition) {
            addZoned(match, attribute, zone)
            return
        }
        switch attribute.key {
        case .none: return
        case .fragment:
            fragments.append(FragmentMatch(attribute: attribute, matches: [match]))
        case .text(let column):
            if case .single = match.condition, attribute.isExactKey { isSelective(at: attribute.level) }
            add(Self.text(column, match.condition), at: attribute.level)
        case .personName(let columns):
            guard case .personName(let pattern, let isFuzzy) = match.condition else {
                add(Self.name(columns, match.condition), at: attribute.level)
                return
            }
            let name = NamePattern(pattern)
            if !isFuzzy, attribute.tag == .patientName, name.leadsToFew { isSelective(at: attribute.level) }
            add(isFuzzy ? name.soundCondition(columns) : name.condition(columns), at: attribute.level)
        case .number(let column):
            add(Self.number(column, match.condition), at: attribute.level)
        case .date(let column):
            add(Self.date(column, match.condition, level: attribute.level), at: attribute.level)
            if case .combined(_, _, let timeTag) = match.condition,
                let time = IndexedAttributes.standard.attribute(timeTag, at: attribute.level), time.isFragment
            {
                // The column narrows down to the days, the moments within them are looked at one by one.
                fragments.append(FragmentMatch(attribute: attribute, matches: [match]))
            }
        case .time(let column):
            add(Self.time(column, match.condition), at: attribute.level)
        case .uid(let column):
            if attribute.isExactKey { isSelective(at: attribute.level) }
            add(Self.uid(column, match.condition), at: attribute.level)
        case .values(let column):
            add(Self.values(column, match.condition), at: attribute.level)
        }
    }

    /// The column narrows down to the days and times that it can be in some zone; each row then is told in that of the
    /// request.
    private mutating func addZoned(_ match: AttributeMatch, _ attribute: IndexedAttribute, _ zone: SearchZone) {
        fragments.append(FragmentMatch(attribute: attribute, matches: [match], zone: zone))
        switch (attribute.key, match.condition) {
        case (.date(let column), .dateRange(let range)), (.date(let column), .combined(let range, _, _)):
            add(Self.days(column, SearchZone.widened(range)), at: attribute.level)
        case (.time(let column), _):
            add("\(raw: column) <> \(ArchiveSchema.noTime)", at: attribute.level)
        default: break
        }
    }

    /// Matches nothing: a condition that the attribute's values cannot meet.
    private static var never: SQLStatement { "1 = 0" }

    private static func text(_ column: StaticString, _ condition: AttributeMatch.Condition) -> SQLStatement {
        switch condition {
        case .single(let value):
            let value = MatchingKeys.key(value)
            return "(\(raw: column) = \(value) AND \(raw: column) <> '')"
        case .wildcard(let pattern):
            return WildcardPattern(MatchingKeys.normalized(pattern)).condition(column)
        case .uidList(let uids): return "\(raw: column) IN (\(list: uids.map(\.string)))"
        case .anyOf(let values): return "\(raw: column) IN (\(list: values.map(MatchingKeys.key)))"
        case .allOf(let values):
            return values.map { "\(raw: column) = \(MatchingKeys.key($0))" as SQLStatement }
                .joined(by: " AND ")
        case .number(let number): return "\(raw: column) = \(MatchingKeys.text(of: number))"
        case .emptyValue: return "\(raw: column) = ''"
        case .universal: return "1 = 1"
        case .personName, .dateRange, .timeRange, .dateTimeRange, .combined: return never
        }
    }

    private static func name(
        _ columns: IndexedAttribute.NameColumns, _ condition: AttributeMatch.Condition
    ) -> SQLStatement {
        switch condition {
        case .single(let value), .wildcard(let value): NamePattern(value).condition(columns)
        case .anyOf(let values):
            "(\(values.map { NamePattern($0).condition(columns) }.joined(by: " OR ")))"
        case .allOf(let values): values.map { NamePattern($0).condition(columns) }.joined(by: " AND ")
        case .emptyValue:
            """
            (\(raw: columns.alphabetic) = '' AND \(raw: columns.ideographic) = '' AND \(raw: columns.phonetic) = '')
            """
        case .universal: "1 = 1"
        case .personName, .number, .uidList, .dateRange, .timeRange, .dateTimeRange, .combined: never
        }
    }

    private static func number(_ column: StaticString, _ condition: AttributeMatch.Condition) -> SQLStatement {
        func equal(_ number: Double?) -> SQLStatement {
            guard let number, let whole = Int64(exactly: number), whole != ArchiveSchema.noNumber else {
                return never
            }
            return "\(raw: column) = \(whole)"
        }
        switch condition {
        case .number(let number): return equal(number)
        case .single(let text): return equal(Double(text))
        case .anyOf(let values):
            return "(\(values.map { equal(Double($0)) }.joined(by: " OR ")))"
        case .allOf(let values): return values.map { equal(Double($0)) }.joined(by: " AND ")
        case .emptyValue: return "\(raw: column) = \(ArchiveSchema.noNumber)"
        case .universal: return "1 = 1"
        case .wildcard, .personName, .uidList, .dateRange, .timeRange, .dateTimeRange, .combined: return never
        }
    }

    private static func date(
        _ column: StaticString, _ condition: AttributeMatch.Condition, level: QueryLevel
    ) -> SQLStatement {
        switch condition {
        case .dateRange(let range): return days(column, range)
        case .single(let text): return DateRange(text).map { days(column, $0) } ?? never
        case .combined(let dates, let times, let timeTag):
            guard let attribute = IndexedAttributes.standard.attribute(timeTag, at: level),
                case .time(let timeColumn) = attribute.key
            else { return days(column, dates) }
            return interval(column, timeColumn, dates, times)
        case .emptyValue: return "\(raw: column) = \(ArchiveSchema.noDate)"
        case .universal: return "1 = 1"
        case .number, .wildcard, .personName, .uidList, .timeRange, .dateTimeRange, .anyOf, .allOf: return never
        }
    }

    private static func days(_ column: StaticString, _ range: DateRange) -> SQLStatement {
        let lower = Int64(range.lower?.number ?? 1)
        guard let upper = range.upper else { return "\(raw: column) >= \(lower)" }
        guard range.lower != upper else { return "\(raw: column) = \(lower)" }
        return "\(raw: column) BETWEEN \(lower) AND \(Int64(upper.number))"
    }

    /// From the first date at the first time to the last date at the last time, as one interval (PS3.4 C.2.2.2.5.4).
    private static func interval(
        _ date: StaticString, _ time: StaticString, _ dates: DateRange, _ times: TimeRange
    ) -> SQLStatement {
        var statement = days(date, dates)
        if let first = dates.lower {
            let first = Int64(first.number)
            statement.append(" AND (\(raw: date) > \(first) OR \(raw: time) >= \(Int64(times.start)))")
        }
        if let last = dates.upper {
            let last = Int64(last.number)
            statement.append(
                """
                 AND (\(raw: date) < \(last)
                    OR (\(raw: time) <= \(Int64(times.end)) AND \(raw: time) <> \(ArchiveSchema.noTime)))
                """)
        }
        return statement
    }

    private static func time(_ column: StaticString, _ condition: AttributeMatch.Condition) -> SQLStatement {
        func within(_ range: TimeRange) -> SQLStatement {
            let (start, end) = (Int64(range.start), Int64(range.end))
            guard range.wraps else { return "\(raw: column) BETWEEN \(start) AND \(end)" }
            return "(\(raw: column) >= \(start) OR \(raw: column) BETWEEN 0 AND \(end))"
        }
        switch condition {
        case .timeRange(let range): return within(range)
        case .single(let text): return TimeRange(text).map(within) ?? never
        case .emptyValue: return "\(raw: column) = \(ArchiveSchema.noTime)"
        case .universal: return "1 = 1"
        case .number, .wildcard, .personName, .uidList, .dateRange, .dateTimeRange, .combined, .anyOf, .allOf:
            return never
        }
    }

    private static func uid(_ column: StaticString, _ condition: AttributeMatch.Condition) -> SQLStatement {
        switch condition {
        case .single(let text): "\(raw: column) = \(text)"
        case .uidList(let uids) where uids.count == 1: "\(raw: column) = \(uids[0].string)"
        case .uidList(let uids): "\(raw: column) IN (\(list: uids.map(\.string)))"
        case .anyOf(let values): "\(raw: column) IN (\(list: values))"
        case .allOf(let values): values.map { "\(raw: column) = \($0)" as SQLStatement }.joined(by: " AND ")
        case .emptyValue: "\(raw: column) = ''"
        case .universal: "1 = 1"
        case .number, .wildcard, .personName, .dateRange, .timeRange, .dateTimeRange, .combined: never
        }
    }

    private static func values(_ column: StaticString, _ condition: AttributeMatch.Condition) -> SQLStatement {
        func has(_ value: String) -> SQLStatement {
            let pattern = "%\\" + WildcardPattern.escaped(value) + "\\%"
            return "\(raw: column) LIKE \(pattern) ESCAPE '~'"
        }
        func any(_ values: [String]) -> SQLStatement {
            values.isEmpty ? never : "(\(values.map(has).joined(by: " OR ")))"
        }
        switch condition {
        case .single(let value): return has(value)
        case .anyOf(let values): return any(values)
        case .uidList(let uids): return any(uids.map(\.string))
        case .allOf(let values): return values.isEmpty ? never : values.map(has).joined(by: " AND ")
        case .wildcard(let pattern):
            // A run of any characters must not go over into the next value, so this asks the series.
            let modality = WildcardPattern(pattern).condition("x.modality")
            return "EXISTS (SELECT 1 FROM series x WHERE x.study_id = st.id AND \(modality))"
        case .emptyValue: return "\(raw: column) = ''"
        case .universal: return "1 = 1"
        case .number, .personName, .dateRange, .timeRange, .dateTimeRange, .combined: return never
        }
    }

    // MARK: - Sequence items

    /// All keys below one sequence match within one item (PS3.4 C.2.2.2.6).
    private mutating func addItems(of attribute: IndexedAttribute, _ matches: [AttributeMatch]) {
        let matches = matches.filter { if case .universal = $0.condition { false } else { true } }
        guard !matches.isEmpty else { return }
        guard attribute.tag == .requestAttributesSequence else {
            fragments.append(FragmentMatch(attribute: attribute, matches: matches))
            return
        }
        var conditions: [SQLStatement] = []
        for match in matches {
            let column: StaticString
            switch (match.path.tags.count, match.path.last) {
            case (2, .scheduledProcedureStepID): column = "r.scheduled_step_id"
            case (2, .requestedProcedureID): column = "r.requested_procedure_id"
            default:
                fragments.append(FragmentMatch(attribute: attribute, matches: matches))
                return
            }
            if case .emptyValue = match.condition {
                // No item, or no value in one, is both empty: that is seen in the whole sequence only.
                fragments.append(FragmentMatch(attribute: attribute, matches: matches))
                return
            }
            if case .single = match.condition { isSelective(at: .series) }
            conditions.append(Self.text(column, match.condition))
        }
        let condition = conditions.joined(by: " AND ")
        add("se.id IN (SELECT r.series_id FROM series_requests r WHERE \(condition))", at: .series)
    }
}

extension IndexedAttribute {
    /// Whether it has no column.
    fileprivate var isFragment: Bool { if case .fragment = key { true } else { false } }

    /// Whether one value of it leads to few rows by an index.
    fileprivate var isExactKey: Bool {
        switch tag {
        case .patientID, .accessionNumber, .studyInstanceUID, .seriesInstanceUID, .sopInstanceUID: true
        default: false
        }
    }
}
