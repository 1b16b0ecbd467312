package import DICOMCore

/// One match of a search as the process that has the index sends it: what its row held, from which answers are made.
package struct SearchMatch: Codable, Hashable, Sendable {
    /// One level of the match. Attributes of a level that is not returned are not there.
    package struct Level: Codable, Hashable, Sendable {
        package var uid: UID
        package var attributes: AttributeFragments
        /// Series and instances of a study, instances of a series.
        package var counts: [Int64]

        package init(uid: UID, attributes: AttributeFragments = AttributeFragments(), counts: [Int64] = []) {
            self.uid = uid
            self.attributes = attributes
            self.counts = counts
        }
    }

    package var study: Level
    package var series: Level?
    package var instance: Level?
    package var modalities: [String] = []
    package var sopClasses: [String] = []
    package var sopClass: UID?
    package var transferSyntaxUID: String?

    package init(study: Level) { self.study = study }
}

extension SearchResult {
    /// A page that was found elsewhere.
    package init(_ query: InstanceQuery, total: Int, offset: Int, found: [SearchMatch]) {
        var matches = Matches()
        for match in found { matches.append(match) }
        self.init(
            total: max(total, offset + found.count), offset: offset, level: query.level, plan: ReturnPlan(query),
            matches: matches)
    }

    /// One match, to be sent.
    package func match(_ index: Int) throws -> SearchMatch {
        let row = matches.rows[index]
        func text(_ range: Range<Int>) -> String { String(decoding: matches.bytes[range], as: UTF8.self) }
        func level(_ level: Matches.Level, counts: [Int64]) throws -> SearchMatch.Level {
            guard let uid = UID(text(level.uid)) else { throw ArchiveError.unreadableRow }
            return SearchMatch.Level(
                uid: uid, attributes: AttributeFragments(decoding: Array(matches.bytes[level.attributes])),
                counts: counts)
        }
        var match = SearchMatch(
            study: try level(row.study, counts: [row.seriesOfStudy, row.instancesOfStudy]))
        match.modalities = ValueList(text: text(row.modalities)).values
        match.sopClasses = ValueList(text: text(row.sopClasses)).values
        if self.level >= .series { match.series = try level(row.series, counts: [row.instancesOfSeries]) }
        if self.level == .instance {
            match.instance = try level(row.instance, counts: [])
            match.sopClass = UID(text(row.sopClass))
            match.transferSyntaxUID = text(row.transferSyntax)
        }
        return match
    }
}

extension Matches {
    /// Takes a match that was found elsewhere.
    mutating func append(_ match: SearchMatch) {
        var row = Row()
        row.start = bytes.count
        row.study = take(match.study)
        row.modalities = take(ValueList(match.modalities).text)
        row.sopClasses = take(ValueList(match.sopClasses).text)
        row.seriesOfStudy = match.study.counts.first ?? 0
        row.instancesOfStudy = match.study.counts.dropFirst().first ?? 0
        if let series = match.series {
            row.series = take(series)
            row.instancesOfSeries = series.counts.first ?? 0
        }
        if let instance = match.instance {
            row.instance = take(instance)
            row.sopClass = take(match.sopClass?.string ?? "")
            row.transferSyntax = take(match.transferSyntaxUID ?? "")
        }
        row.end = bytes.count
        rows.append(row)
    }

    private mutating func take(_ level: SearchMatch.Level) -> Level {
        let uid = take(level.uid.string)
        let start = bytes.count
        bytes += level.attributes.bytes
        return Level(uid: uid, attributes: start..<bytes.count)
    }

    private mutating func take(_ text: String) -> Range<Int> {
        let start = bytes.count
        bytes += text.utf8
        return start..<bytes.count
    }
}
