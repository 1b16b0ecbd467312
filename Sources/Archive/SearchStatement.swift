import DICOMCore
import SQLStorage

/// The SQL of one search: where the rows come from, in which order, and how many there are.
struct SearchStatement {
    private let query: InstanceQuery
    private let conditions: SearchConditions
    private let plan: ReturnPlan

    init(_ query: InstanceQuery, _ conditions: SearchConditions, _ plan: ReturnPlan) {
        self.query = query
        self.conditions = conditions
        self.plan = plan
    }

    /// The rows of a page, or all of them; columns are those that `Matches.append` reads.
    func rows(limit: Int?, offset: Int) -> SQLStatement {
        var statement: SQLStatement = "\(source) ORDER BY \(order)"
        if let limit { statement.append(" LIMIT \(Int64(limit)) OFFSET \(Int64(offset))") }
        return statement
    }

    /// How many entities match, from the counts of the rows above them where no condition looks at them.
    var count: SQLStatement {
        let needsSeries = !conditions.series.isEmpty
        let needsInstances = !conditions.instance.isEmpty
        switch query.level {
        case .study: return "SELECT COUNT(*) FROM studies st\(whereClause(conditions.study))"
        case .series where !needsSeries:
            return "SELECT COALESCE(SUM(st.series_count), 0) FROM studies st\(whereClause(conditions.study))"
        case .instance where !needsSeries && !needsInstances:
            return "SELECT COALESCE(SUM(st.instance_count), 0) FROM studies st\(whereClause(conditions.study))"
        case .series: return "\(with)SELECT COUNT(*)\(from(through: .series))"
        case .instance where !needsInstances:
            return "\(with)SELECT COALESCE(SUM(se.instance_count), 0)\(from(through: .series))"
        case .instance: return "\(with)SELECT COUNT(*)\(from(through: .instance))"
        }
    }

    // MARK: - Parts

    private var source: SQLStatement { "\(with)\(select)\(from(through: query.level))" }

    private var select: SQLStatement {
        let study: SQLStatement =
            plan.levels.contains(.study)
            ? "st.attributes, st.modalities, st.sop_classes, st.series_count, st.instance_count" : "'', '', '', 0, 0"
        let series: SQLStatement =
            plan.levels.contains(.series) ? "se.attributes, se.instance_count" : "'', 0"
        return switch query.level {
        case .study: "SELECT st.uid, \(study)"
        case .series: "SELECT st.uid, \(study), se.uid, \(series)"
        case .instance:
            "SELECT st.uid, \(study), se.uid, \(series), i.uid, i.attributes, i.sop_class, i.transfer_syntax"
        }
    }

    /// Which level's rows are looked up first; the others follow from them.
    private enum Lead { case study, series, instance }

    private var lead: Lead {
        switch conditions.selectiveLevel {
        case .instance: .instance
        case .series: .series
        case .study, nil: .study
        }
    }

    /// Whether the studies are picked first: else a database may go through all of them in their order, because that
    /// saves it sorting.
    private var picksStudies: Bool { lead == .study && conditions.selectiveLevel == .study }

    private var with: SQLStatement {
        guard picksStudies else { return "" }
        return "WITH st AS MATERIALIZED (SELECT st.* FROM studies st\(whereClause(conditions.study))) "
    }

    private func from(through level: QueryLevel) -> SQLStatement {
        let studies: SQLStatement = picksStudies ? "st" : "studies st"
        let seriesOfStudy: SQLStatement = "se.study_id = st.id"
        let instanceOfSeries: SQLStatement = "i.id >= (se.id << 24) AND i.id < ((se.id + 1) << 24)"
        var tests = picksStudies ? [] : conditions.study
        if level >= .series { tests += conditions.series }
        if level == .instance { tests += conditions.instance }
        switch (level, lead) {
        case (.study, _):
            return " FROM \(studies)\(whereClause(tests))"
        case (.series, .study):
            return " FROM \(studies) CROSS JOIN series se\(whereClause([seriesOfStudy] + tests))"
        case (.series, _):
            return " FROM series se CROSS JOIN studies st\(whereClause([seriesOfStudy] + tests))"
        case (.instance, .study):
            return """
                 FROM \(studies) CROSS JOIN series se CROSS JOIN instances i
                \(whereClause([seriesOfStudy, instanceOfSeries] + tests))
                """
        case (.instance, .series):
            return """
                 FROM series se CROSS JOIN studies st CROSS JOIN instances i
                \(whereClause([seriesOfStudy, instanceOfSeries] + tests))
                """
        case (.instance, .instance):
            return """
                 FROM instances i CROSS JOIN series se CROSS JOIN studies st
                \(whereClause(["se.id = i.id >> 24", seriesOfStudy] + tests))
                """
        }
    }

    private func whereClause(_ conditions: [SQLStatement]) -> SQLStatement {
        conditions.isEmpty ? "" : " WHERE \(conditions.joined(by: " AND "))"
    }

    /// What was asked for, then a total order (dicomweb 4.6): so pages never overlap.
    private var order: SQLStatement {
        var parts: [SQLStatement] = []
        for key in query.order {
            guard let attribute = IndexedAttributes.standard.attribute(key.tag, visibleAt: query.level),
                let column = attribute.orderColumn
            else { continue }
            parts.append(key.isDescending ? "\(raw: column) DESC" : "\(raw: column)")
        }
        parts.append("st.study_date DESC, st.study_time DESC, st.uid")
        if query.level >= .series { parts.append("se.number, se.uid") }
        if query.level == .instance { parts.append("i.number, i.uid") }
        return parts.joined(by: ", ")
    }
}

extension IndexedAttribute {
    /// Whether results can be ordered by it.
    package var isOrderable: Bool { orderColumn != nil }

    fileprivate var orderColumn: StaticString? {
        switch key {
        case .text(let column), .number(let column), .date(let column), .time(let column), .uid(let column),
            .values(let column):
            column
        case .personName(let columns): columns.alphabetic
        case .fragment, .none: nil
        }
    }
}
