import DICOMCore
import DICOMModels

/// Matching keys of one attribute that has no column of its own, tried on its prepared value. Where the attribute is a
/// sequence, all keys must match within one item (PS3.4 C.2.2.2.6).
struct FragmentMatch: Sendable {
    private let attribute: IndexedAttribute
    private let matches: [AttributeMatch]
    /// In which zone dates and times are compared; `nil`: as they stand.
    private let zone: SearchZone?

    init(attribute: IndexedAttribute, matches: [AttributeMatch], zone: SearchZone? = nil) {
        self.attribute = attribute
        self.matches = matches
        self.zone = zone
    }

    var level: QueryLevel { attribute.level }

    /// Whether the attributes of a row meet the keys.
    func matches(_ fragments: AttributeFragments) throws -> Bool {
        var json: [UInt8] = [0x7B]
        for tag in tags {
            guard let value = fragments[tag] else { continue }
            if json.count > 1 { json.append(0x2C) }
            json += "\"\(tag.hexadecimal)\":".utf8
            json += value
        }
        json.append(0x7D)
        let dataSet = try DICOMJSONReader.dataSets(from: json).first ?? DataSet()
        if let zone {
            return matches.allSatisfy { zone.matches($0.condition, attribute.tag, in: dataSet) }
        }
        return Self.matches(matches.map { (path: $0.path.tags[...], condition: $0.condition) }, in: dataSet)
    }

    /// The attribute, and the times that belong to it.
    private var tags: [Tag] {
        if zone != nil { return [attribute.tag] + SearchZone.companions(of: attribute.tag) }
        return [attribute.tag]
            + matches.compactMap { match in
                if case .combined(_, _, let timeTag) = match.condition { timeTag } else { nil }
            }
    }

    private typealias Key = (path: ArraySlice<Tag>, condition: AttributeMatch.Condition)

    private static func matches(_ keys: [Key], in dataSet: DataSet) -> Bool {
        for key in keys where key.path.count == 1 {
            guard let tag = key.path.first, matches(key.condition, tag, in: dataSet) else { return false }
        }
        let nested = Dictionary(grouping: keys.filter { $0.path.count > 1 }) { $0.path.first }
        for (sequence, keys) in nested {
            guard let sequence else { return false }
            let inner = keys.map { (path: $0.path.dropFirst(), condition: $0.condition) }
            let items = dataSet[sequence]?.items ?? []
            let isMatch = items.contains { matches(inner, in: $0) }
            guard isMatch || (items.isEmpty && inner.allSatisfy { $0.condition == .emptyValue }) else { return false }
        }
        return true
    }

    private static func matches(_ condition: AttributeMatch.Condition, _ tag: Tag, in dataSet: DataSet) -> Bool {
        let values = MatchingKeys.values(dataSet, tag).map(MatchingKeys.normalized)
        switch condition {
        case .universal: return true
        case .emptyValue: return dataSet[tag]?.isEmpty ?? true || (!values.isEmpty && values.allSatisfy(\.isEmpty))
        case .single(let text):
            if dataSet[tag]?.vr == .PN { return matchesName(text, isFuzzy: false, values) }
            return values.contains(MatchingKeys.normalized(text)) || number(tag, in: dataSet, equals: Double(text))
        case .number(let number): return Self.number(tag, in: dataSet, equals: number)
        case .wildcard(let pattern):
            if dataSet[tag]?.vr == .PN { return matchesName(pattern, isFuzzy: false, values) }
            return values.contains { like($0, MatchingKeys.normalized(pattern)) }
        case .uidList(let uids): return uids.contains { values.contains($0.string) }
        case .anyOf(let texts): return texts.contains { values.contains(MatchingKeys.normalized($0)) }
        case .allOf(let texts): return texts.allSatisfy { values.contains(MatchingKeys.normalized($0)) }
        case .personName(let pattern, let isFuzzy): return matchesName(pattern, isFuzzy: isFuzzy, values)
        case .dateRange(let range):
            return values.contains { DateValue($0).map(range.contains) ?? false }
        case .timeRange(let range):
            return values.contains { TimeValue($0).map(range.contains) ?? false }
        case .dateTimeRange(let range):
            return values.contains { DateTimeValue($0).map { range.contains($0) } ?? false }
        case .combined(let dates, let times, let timeTag):
            guard let date = values.first.flatMap({ DateValue($0) }), dates.contains(date) else { return false }
            // Without a time, only days inside the interval are surely in it.
            let time = MatchingKeys.values(dataSet, timeTag).first.flatMap { TimeValue($0) }?.earliest
            let isAfterStart = dates.lower.map { $0 < date || (time.map { $0 >= times.start } ?? false) } ?? true
            let isBeforeEnd = dates.upper.map { date < $0 || (time.map { $0 <= times.end } ?? false) } ?? true
            return isAfterStart && isBeforeEnd
        }
    }

    private static func number(_ tag: Tag, in dataSet: DataSet, equals number: Double?) -> Bool {
        guard let number, let element = dataSet[tag] else { return false }
        switch element.vr {
        case .IS, .DS: return MatchingKeys.values(dataSet, tag).contains { Double($0) == number }
        case .US:
            guard let bytes = element.bytes, let whole = Int(exactly: number) else { return false }
            let pairs = Array(bytes)
            return stride(from: 0, to: pairs.count - 1, by: 2).contains {
                Int(pairs[$0]) | Int(pairs[$0 + 1]) << 8 == whole
            }
        default: return false
        }
    }

    private static func matchesName(_ pattern: String, isFuzzy: Bool, _ values: [String]) -> Bool {
        let wanted = PersonNameKeys(pattern)
        let isGrouped = pattern.contains("=")
        return values.contains { value in
            let name = PersonNameKeys(value)
            if isFuzzy {
                let sounds = Set(ValueList(text: name.codes).values)
                let codes = ValueList(text: wanted.codes).values
                if !codes.isEmpty, codes.allSatisfy(sounds.contains) { return true }
            }
            let groups = [name.alphabetic, name.ideographic, name.phonetic]
            guard isGrouped else { return groups.contains { !$0.isEmpty && like($0, wanted.alphabetic) } }
            return zip([wanted.alphabetic, wanted.ideographic, wanted.phonetic], groups).allSatisfy {
                $0.0.isEmpty || like($0.1, $0.0)
            }
        }
    }

    /// `*` for any run of characters, `?` for one.
    static func like(_ text: String, _ pattern: String) -> Bool {
        let text = Array(text.unicodeScalars)
        let pattern = Array(pattern.unicodeScalars)
        var (t, p) = (0, 0)
        var (star, resume) = (-1, 0)
        while t < text.count {
            if p < pattern.count, pattern[p] == "*" {
                star = p
                resume = t
                p += 1
            } else if p < pattern.count, pattern[p] == "?" || pattern[p] == text[t] {
                p += 1
                t += 1
            } else if star >= 0 {
                p = star + 1
                resume += 1
                t = resume
            } else {
                return false
            }
        }
        while p < pattern.count, pattern[p] == "*" { p += 1 }
        return p == pattern.count
    }
}
