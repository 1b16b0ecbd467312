package import DICOMCore
import SQLStorage

extension Archive {
    /// The page of matches that the query asks for, of at most `maximum`, and the exact number of all matches.
    ///
    /// - Parameter assumed: the zone of stored dates and times whose data set names none. It counts only where the query
    ///   names one.
    package func search(
        _ query: InstanceQuery, maximum: Int, assuming assumed: TimezoneOffset = .utc
    ) async throws -> SearchResult {
        let plan = ReturnPlan(query)
        let conditions = SearchConditions(query, assuming: assumed)
        let statement = SearchStatement(query, conditions, plan)
        let limit = max(0, min(maximum, query.limit ?? maximum))
        let offset = max(0, query.offset)
        return try await database.read { transaction in
            var matches = Matches()
            guard conditions.fragments.isEmpty else {
                let total = try matches.collect(
                    statement.rows(limit: nil, offset: 0), matching: conditions.fragments, level: query.level,
                    page: offset..<(offset.addingReportingOverflow(limit).partialValue), in: transaction)
                return SearchResult(total: total, offset: offset, level: query.level, plan: plan, matches: matches)
            }
            if limit > 0 {
                try transaction.forEach(statement.rows(limit: limit, offset: offset)) { row in
                    matches.append(row, level: query.level)
                }
            }
            let count = matches.rows.count
            let total: Int
            if count < limit, count > 0 || offset == 0 {
                total = offset + count
            } else {
                total = Int(try transaction.firstInt(statement.count) ?? 0)
            }
            return SearchResult(total: total, offset: offset, level: query.level, plan: plan, matches: matches)
        }
    }
}

extension Matches {
    /// Takes the columns of `SearchStatement`.
    mutating func append(_ source: any SQLRow, level: QueryLevel) {
        var row = Row()
        row.start = bytes.count
        row.study.uid = take(source, 0)
        row.study.attributes = take(source, 1)
        row.modalities = take(source, 2)
        row.sopClasses = take(source, 3)
        row.seriesOfStudy = source.int(4)
        row.instancesOfStudy = source.int(5)
        if level >= .series {
            row.series.uid = take(source, 6)
            row.series.attributes = take(source, 7)
            row.instancesOfSeries = source.int(8)
        }
        if level == .instance {
            row.instance.uid = take(source, 9)
            row.instance.attributes = take(source, 10)
            row.sopClass = take(source, 11)
            row.transferSyntax = take(source, 12)
        }
        row.end = bytes.count
        rows.append(row)
    }

    private mutating func take(_ source: any SQLRow, _ column: Int) -> Range<Int> {
        let start = bytes.count
        source.withBytes(column) { bytes.append(contentsOf: $0) }
        return start..<bytes.count
    }

    /// Takes those rows of the page that match; returns how many match at all.
    mutating func collect(
        _ statement: SQLStatement, matching conditions: [FragmentMatch], level: QueryLevel, page: Range<Int>,
        in transaction: any SQLTransaction
    ) throws -> Int {
        var total = 0
        try transaction.forEach(statement) { row in
            append(row, level: level)
            guard let last = rows.last else { return }
            let isMatch = try conditions.allSatisfy { condition in
                let range =
                    switch condition.level {
                    case .study: last.study.attributes
                    case .series: last.series.attributes
                    case .instance: last.instance.attributes
                    }
                return try condition.matches(AttributeFragments(decoding: Array(bytes[range])))
            }
            if isMatch { total += 1 }
            if !isMatch || !page.contains(total - 1) {
                bytes.removeLast(bytes.count - last.start)
                rows.removeLast()
            }
        }
        return total
    }
}
