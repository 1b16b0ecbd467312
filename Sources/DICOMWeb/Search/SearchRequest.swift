public import DICOMCore

/// Kinds of matching that the server behind a search may have or not (PS3.18 8.3.4.2 to 8.3.4.4).
public struct SearchFeatures: Hashable, Sendable {
    public var fuzzyMatching = false
    public var emptyValueMatching = true
    public var multipleValueMatching = true
    /// Whether `Modality=CT,PT` means either, as viewers expect, and not a code with a comma.
    public var codeListIsAnyOf = true

    public init() {}
}

/// A search as it was asked for: the query for the archive, and what the answer has to say about it
/// (PS3.18 8.3.4, 10.6.1).
public struct SearchRequest: Hashable, Sendable {
    public var query: InstanceQuery
    /// Texts for `Warning: 299` headers: what was not done as asked.
    public var warnings: [String]
    /// The values of `accept` parameters.
    public var accept: [String]
    /// Whether no hit is to be answered with an empty array instead of 204 (`Prefer: return=representation`).
    public var wantsEmptyArray: Bool

    /// Reads the raw query string of a search resource and the lines of the Prefer header.
    ///
    /// Malformed values are refused with 400. Parameters that are unknown, attributes that are not indexed or belong to
    /// another level are passed over with a warning, or refused when the client says `handling=strict`.
    public init(
        _ resource: ResourcePath, query text: String?, prefer: [String] = [],
        attributes: SearchableAttributes = .standard, features: SearchFeatures = SearchFeatures()
    ) throws(DICOMWebError) {
        guard let level = resource.searchLevel else {
            throw DICOMWebError(.unknownResource, "The resource is not searched.", clause: "PS3.18 10.6.1.1")
        }
        let parameters = try QueryParameters(text ?? "")
        var reader = KeyReader(resource: resource, attributes: attributes, features: features)
        var query = InstanceQuery(level: level)
        switch resource {
        case .series(let study): query.study = study
        case .instances(let study, let series):
            query.study = study
            query.series = series
        default: break
        }
        query.limit = try parameters.number("limit")
        query.offset = try parameters.number("offset") ?? 0
        reader.isFuzzy = try parameters.flag("fuzzymatching")
        reader.matchesEmpty = try parameters.flag("emptyvaluematching")
        reader.matchesMultiple = try parameters.flag("multiplevaluematching")
        try reader.readKeys(parameters.keys, into: &query)
        try reader.readIncludes(parameters.includes, into: &query)
        try reader.readOrder(parameters.order, into: &query)

        self.query = query
        accept = parameters.accept
        warnings = reader.warnings
        let preferences = Self.preferences(prefer)
        wantsEmptyArray = preferences.contains("return=representation")
        guard !reader.ignored.isEmpty else { return }
        let names = reader.ignored.map(Self.printable).joined(separator: ", ")
        guard !preferences.contains("handling=strict") else {
            throw QueryParameters.malformed("These query parameters cannot be used here: \(names).", "RFC 7240 4.4")
        }
        warnings.append("The following query parameters were ignored: \(names)")
    }

    /// The preferences of a Prefer header, blanks and quotes taken out (RFC 7240 2).
    private static func preferences(_ values: [String]) -> Set<String> {
        Set(
            values.flatMap { $0.split { $0 == "," || $0 == ";" } }.map { item in
                item.filter { !$0.isWhitespace && $0 != "\"" }.lowercased()
            })
    }

    /// A name from the request in a form that may stand in a header.
    static func printable(_ name: String) -> String {
        String(
            name.unicodeScalars.prefix(80).map { scalar in
                (0x21...0x7E).contains(scalar.value) && scalar != "\"" && scalar != "\\" ? Character(scalar) : "?"
            })
    }
}
