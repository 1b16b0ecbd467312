package import Archive
package import DICOMCore

/// One entry of an answer of the ingestion query endpoint. ``gantry`` is ours; who does not know it passes it over.
package struct QueryEntry<Ours: Codable & Sendable>: Codable, Sendable {
    /// An attribute in the form of the DICOM JSON model, as far as this wire uses it.
    package struct Attribute: Codable, Hashable, Sendable {
        package var vr: String
        /// Texts; a name may be an object and a number a number.
        package var values: [Value?]?

        private enum CodingKeys: String, CodingKey {
            case vr
            case values = "Value"
        }
    }

    package enum Value: Codable, Hashable, Sendable {
        case text(String)
        case number(Double)
        case name([String: String])

        package init(from decoder: any Decoder) throws {
            let value = try decoder.singleValueContainer()
            if let text = try? value.decode(String.self) {
                self = .text(text)
            } else if let number = try? value.decode(Double.self) {
                self = .number(number)
            } else {
                self = .name(try value.decode([String: String].self))
            }
        }

        package func encode(to encoder: any Encoder) throws {
            var value = encoder.singleValueContainer()
            switch self {
            case .text(let text): try value.encode(text)
            case .number(let number): try value.encode(number)
            case .name(let groups): try value.encode(groups)
            }
        }
    }

    package struct Resource: Codable, Hashable, Sendable {
        package var objectName: String

        package init(objectName: String) { self.objectName = objectName }
    }

    package var attributes: [String: Attribute]?
    package var resource: Resource?
    package var lastModified: String?
    package var gantry: Ours?

    package init(
        attributes: [String: Attribute] = [:], resource: Resource?, lastModified: String?, gantry: Ours?
    ) {
        self.attributes = attributes
        self.resource = resource
        self.lastModified = lastModified
        self.gantry = gantry
    }

    private enum CodingKeys: String, CodingKey { case attributes, resource, lastModified, gantry }

    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(attributes ?? [:], forKey: .attributes)
        // Null, not absent.
        try values.encode(resource, forKey: .resource)
        try values.encode(lastModified, forKey: .lastModified)
        try values.encodeIfPresent(gantry, forKey: .gantry)
    }
}

/// A search on its way to the ingestion query endpoint.
package struct QueryModel: Codable, Sendable {
    package enum Scope: String, Codable, Sendable {
        case study = "STUDY"
        case series = "SERIES"
        case instance = "INSTANCE"
    }

    /// The search as it came, for an endpoint of ours.
    package struct Ours: Codable, Sendable {
        package var version = CommitMessage.version
        package var resource: String
        package var parameters: String
        /// Most results of one answer.
        package var maximum: Int
        /// The zone of stored dates and times whose data set names none.
        package var timezone: String
    }

    package var scope: Scope?
    package var studyUid: String?
    package var seriesUid: String?
    package var fuzzyMatching: Bool?
    package var offset: Int?
    /// 0: as many as there are.
    package var limit: Int?
    package var includedFields: [String]?
    /// By tag, as a decimal number.
    package var queryAttributes: [String: String]?
    package var gantry: Ours?
}

/// Header fields of answers of our ingestion query endpoint.
package enum QueryField {
    /// The version of the wire; absent where another's endpoint answers.
    package static let wire = "Gantry-Wire"
    /// `found`, `gone` or `unknown`.
    package static let resource = "Gantry-Resource"
    /// Number and time of the resource's last change.
    package static let version = "Gantry-Version"
    package static let modified = "Gantry-Modified"
    /// All matches, whatever the page.
    package static let total = "Gantry-Total"
}

extension QueryModel {
    /// The model of a search, as far as it can tell it, and beside it all of the search.
    package init(_ query: InstanceQuery, _ text: SearchText, maximum: Int, assuming timezone: TimezoneOffset) {
        scope =
            switch query.level {
            case .study: .study
            case .series: .series
            case .instance: .instance
            }
        studyUid = query.study?.string
        seriesUid = query.series?.string
        offset = query.offset
        limit = min(maximum, query.limit ?? maximum)
        includedFields = query.includes.sorted().map(Self.digits)
        var attributes: [String: String] = [:]
        var isFuzzy = false
        for match in query.matches {
            guard match.path.tags.count == 1, let tag = match.path.tags.first else { continue }
            if case .personName(_, fuzzy: true) = match.condition { isFuzzy = true }
            for (tag, text) in match.condition.texts(for: tag) { attributes["\(tag.rawValue)"] = text }
        }
        queryAttributes = attributes
        fuzzyMatching = isFuzzy
        gantry = Ours(
            resource: text.resource, parameters: text.parameters, maximum: maximum, timezone: timezone.description)
    }

    /// Path and query string of this model, for who has not sent them; `nil` when it has what no search has.
    package var searchText: SearchText? {
        if let gantry {
            guard gantry.version == CommitMessage.version else { return nil }
            return SearchText(resource: gantry.resource, parameters: gantry.parameters)
        }
        var resource = ""
        for (name, uid) in [("studies", studyUid), ("series", seriesUid)] {
            guard let uid, !uid.isEmpty else { continue }
            guard UID(uid) != nil else { return nil }
            resource += "/\(name)/\(uid)"
        }
        switch scope {
        case .study, nil: resource = "/studies"
        case .series: resource = (studyUid ?? "").isEmpty ? "/series" : "/studies/\(studyUid ?? "")/series"
        case .instance: resource += "/instances"
        }
        var parameters: [String] = []
        for (key, value) in (queryAttributes ?? [:]).sorted(by: { $0.key < $1.key }) {
            guard let tag = UInt32(key) else { return nil }
            parameters.append("\(Self.digits(Tag(rawValue: tag)))=\(Self.escaped(value))")
        }
        for field in includedFields ?? [] { parameters.append("includefield=\(Self.escaped(field))") }
        if fuzzyMatching == true { parameters.append("fuzzymatching=true") }
        if let offset, offset > 0 { parameters.append("offset=\(offset)") }
        if let limit, limit > 0 { parameters.append("limit=\(limit)") }
        return SearchText(resource: resource, parameters: parameters.joined(separator: "&"))
    }

    private static func digits(_ tag: Tag) -> String {
        let text = String(tag.rawValue, radix: 16, uppercase: true)
        return String(repeating: "0", count: 8 - text.count) + text
    }

    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x2A, 0x2C:
                escaped.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                escaped += (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
            }
        }
        return escaped
    }
}

extension AttributeMatch.Condition {
    /// The values to match as texts of this attribute, and of the one that goes with it; none for what has no such form.
    fileprivate func texts(for tag: Tag) -> [(Tag, String)] {
        func range<Bound: CustomStringConvertible>(_ lower: Bound?, _ upper: Bound?, isSingle: Bool) -> String {
            let (lower, upper) = (lower?.description ?? "", upper?.description ?? "")
            return isSingle ? lower : "\(lower)-\(upper)"
        }
        return switch self {
        case .single(let text), .wildcard(let text), .personName(let text, _): [(tag, text)]
        case .number(let number): [(tag, Int64(exactly: number)?.description ?? number.description)]
        case .uidList(let uids): [(tag, uids.map(\.string).joined(separator: ","))]
        case .anyOf(let codes): [(tag, codes.joined(separator: ","))]
        case .dateRange(let dates): [(tag, range(dates.lower, dates.upper, isSingle: dates.isSingle))]
        case .timeRange(let times): [(tag, range(times.lower, times.upper, isSingle: times.isSingle))]
        case .combined(let dates, let times, let timeTag):
            [
                (tag, range(dates.lower, dates.upper, isSingle: dates.isSingle)),
                (timeTag, range(times.lower, times.upper, isSingle: times.isSingle)),
            ]
        case .universal, .allOf, .dateTimeRange, .emptyValue: []
        }
    }
}
