import DICOMCore

/// How strictly Accept headers are taken.
public struct NegotiationRules: Hashable, Sendable {
    /// Whether a request without an Accept header is answered with 406, as PS3.18 8.7.5 wants. Nearly no server does.
    public var requiresAccept = false
    /// The media types that images can be rendered to, the default first.
    public var renderedTypes = ["image/jpeg", "image/png"]

    public init() {}

    public static let tolerant = NegotiationRules()
}

/// What kind of answer is negotiated (PS3.18 8.7.4, Tables 8.7.4-1 and 10.4.4-1).
public enum ResourceKind: Hashable, Sendable {
    /// A study or a series.
    case instances
    /// One instance.
    case instance
    case metadata
    /// Bulk data or pixel data of unknown number.
    case bulkData
    /// One bulk data value.
    case bulkDataValue
    case frames(count: Int)
    case rendered
    case thumbnail
    case searchResult
    case storeResponse
    case capabilities

    /// The kind of what a GET on this resource returns.
    public init(_ resource: ResourcePath) {
        switch resource {
        case .service: self = .capabilities
        case .uriService: self = .rendered
        case .studies, .allSeries, .allInstances, .series, .instances: self = .searchResult
        case .entity(let entity, .instances): self = entity.level == .instance ? .instance : .instances
        case .entity(_, .metadata): self = .metadata
        case .entity(_, .bulkData), .entity(_, .pixelData): self = .bulkData
        case .entity(_, .rendered), .frames(_, _, .rendered): self = .rendered
        case .entity(_, .thumbnail), .frames(_, _, .thumbnail): self = .thumbnail
        case .bulkDataValue: self = .bulkDataValue
        case .frames(_, let frames, .pixelData): self = .frames(count: frames.numbers.count)
        }
    }
}

/// What a client wants of a resource: the acceptable representations, best first (PS3.18 8.7.8).
public struct RetrieveRequest: Hashable, Sendable {
    public let kind: ResourceKind
    /// Never empty. Single-part representations of several items are left out where it is known that there are several.
    public let representations: [Representation]
    private let accept: AcceptHeader
    private let query: AcceptHeader?

    /// Negotiates with the lines of the Accept header and the values of `accept` query parameters; 406 when nothing
    /// on offer is acceptable.
    public init(
        _ kind: ResourceKind, accept fieldValues: [String], query values: [String] = [],
        rules: NegotiationRules = .tolerant
    ) throws(DICOMWebError) {
        let accept = AcceptHeader(fieldValues)
        if accept.isAbsent && rules.requiresAccept {
            throw Self.notAcceptable("The request has no Accept header.")
        }
        self.kind = kind
        self.accept = accept
        query = values.isEmpty ? nil : AcceptHeader(values)
        let offers = Self.offers(of: kind, rules: rules)
        var representations = Self.choose(offers, accept, query)
        if kind == .storeResponse, representations.isEmpty, accept.ranges.contains(where: Self.isInstanceRange) {
            // Some name what they send instead of what they want.
            representations = [Representation(.dicomJSON, .single)]
        }
        guard !representations.isEmpty else {
            throw Self.notAcceptable("None of the media types of this resource is acceptable.")
        }
        self.representations = representations
    }

    /// The representations for an answer of this many items: without the single-part ones, unless it is one. Where none
    /// is left the answer is 406.
    public func representations(forItems count: Int) throws(DICOMWebError) -> [Representation] {
        guard count != 1 else { return representations }
        let fitting = representations.filter { representation in
            switch representation.content {
            case .dicom, .octetStream, .pixels, .document: representation.packaging == .multipart
            case .dicomJSON, .dicomXML, .rendered, .zip, .wadl: true
            }
        }
        guard !fitting.isEmpty else {
            throw Self.notAcceptable("The answer has several parts, and only single-part media types are acceptable.")
        }
        return fitting
    }

    /// How a value is returned whose media type is known, such as an encapsulated PDF: in that type if it is acceptable,
    /// else as bytes; `nil` when neither is (PS3.18 8.7.3.3.4). One of several values has to be a part of a multipart
    /// body.
    public func document(_ mediaType: String, isOneOfSeveral: Bool = false) -> Representation? {
        let allowsSingle = allowsSingle && !isOneOfSeveral
        // The type comes from an attribute: what cannot be that of a document counts as unknown.
        guard let type = MediaType(mediaType), type.type != "*", !type.isWildcard, type.type != "multipart" else {
            return representations.first { $0.content == .octetStream && ($0.packaging == .multipart || allowsSingle) }
        }
        let offers: [Offer] = [
            Offer(.document(type.essence), .multipart), Offer(.document(type.essence), .single),
            Offer(.octetStream, .multipart), Offer(.octetStream, .single),
        ].filter { $0.packaging == .multipart || allowsSingle }
        return Self.choose(offers, accept, query).first
    }

    private var allowsSingle: Bool {
        switch kind {
        case .instance, .bulkData, .bulkDataValue, .frames(count: 1): true
        default: false
        }
    }

    // MARK: - Offers

    private struct Offer {
        var content: Representation.Content
        var packaging: Representation.Packaging
        /// Another name under which it is asked for.
        var alias: String?

        init(_ content: Representation.Content, _ packaging: Representation.Packaging, alias: String? = nil) {
            self.content = content
            self.packaging = packaging
            self.alias = alias
        }

        var mediaType: MediaType {
            let text = alias ?? Representation(content, packaging).mediaType
            let type = MediaType(text) ?? MediaType(type: "application", subtype: "octet-stream")
            guard packaging == .multipart else { return type }
            return MediaType(type: "multipart", subtype: "related", parameters: [.init("type", type.essence)])
        }
    }

    private static func offers(of kind: ResourceKind, rules: NegotiationRules) -> [Offer] {
        switch kind {
        case .instances:
            [Offer(.dicom, .multipart)] + bulkData(single: false) + [Offer(.zip, .single), anyDocument(.multipart)]
        case .instance:
            [Offer(.dicom, .multipart), Offer(.dicom, .single)] + bulkData(single: true)
                + [Offer(.zip, .single), anyDocument(.multipart), anyDocument(.single)]
        case .metadata, .searchResult: json + [Offer(.dicomXML, .multipart)]
        case .storeResponse: json + [Offer(.dicomXML, .single), Offer(.dicomXML, .multipart)]
        case .bulkData, .bulkDataValue: bulkData(single: true) + [anyDocument(.multipart), anyDocument(.single)]
        case .frames(let count): bulkData(single: count == 1)
        case .rendered: rules.renderedTypes.map { Offer(.rendered($0), .single) }
        case .thumbnail: rules.renderedTypes.map { Offer(.rendered($0), .single) }
        case .capabilities: [Offer(.wadl, .single)]
        }
    }

    private static let json = [Offer(.dicomJSON, .single), Offer(.dicomJSON, .single, alias: "application/json")]

    private static func bulkData(single: Bool) -> [Offer] {
        let contents: [Representation.Content] = [.octetStream] + PixelMediaTypes.all.map { .pixels($0) }
        return contents.flatMap { content in
            [Offer(content, .multipart)] + (single ? [Offer(content, .single)] : [])
        }
    }

    /// Stands for any other type: `document(_:)` decides when the type of the value is known.
    private static func anyDocument(_ packaging: Representation.Packaging) -> Offer {
        Offer(.document("*/*"), packaging)
    }

    private static func choose(
        _ offers: [Offer], _ accept: AcceptHeader, _ query: AcceptHeader?
    ) -> [Representation] {
        var result: [Representation] = []
        let asked = query.flatMap { $0.isAbsent ? nil : $0 }
        for accept in [asked, accept].compactMap({ $0 }) {
            for representation in choose(offers, accept) {
                let isKnown = result.contains {
                    $0.content == representation.content && $0.packaging == representation.packaging
                        && $0.transferSyntax == representation.transferSyntax
                }
                if !isKnown { result.append(representation) }
            }
        }
        return result
    }

    private static func choose(_ offers: [Offer], _ accept: AcceptHeader) -> [Representation] {
        let plain = offers.filter { $0.content != .document("*/*") }
        var result: [Representation] = []
        for choice in MediaTypeSelection(offers: plain.map(\.mediaType)).choices(accept: accept) {
            let offer = plain[choice.offer]
            var wish = TransferSyntaxWish(parameter: choice.transferSyntax)
            switch offer.content {
            case .rendered where wish != .default: continue
            // Whoever takes any image type takes the one that is stored.
            case .pixels where choice.isWildcard && wish == .default: wish = .any
            default: break
            }
            result.append(
                Representation(
                    offer.content, offer.packaging, transferSyntax: wish, quality: choice.quality,
                    isWildcard: choice.isWildcard))
        }
        guard plain.count < offers.count else { return result }
        let packagings = Set(offers.filter { $0.content == .document("*/*") }.map(\.packaging))
        result += documents(in: accept).filter { packagings.contains($0.packaging) }
        // Stable: at equal weight documents come last.
        return result.enumerated().sorted { left, right in
            let (a, b) = (left.element, right.element)
            if a.isWildcard != b.isWildcard { return !a.isWildcard }
            return a.quality != b.quality ? a.quality > b.quality : left.offset < right.offset
        }.map(\.element)
    }

    /// The types that are named and may be those of encapsulated documents.
    private static func documents(in accept: AcceptHeader) -> [Representation] {
        accept.ranges.compactMap { range in
            guard range.quality > 0, range.mediaType.type != "*" else { return nil }
            let isMultipart = range.mediaType.essence == "multipart/related"
            let named = isMultipart ? range.mediaType["type"].flatMap { MediaType($0) } : range.mediaType
            guard let named, named.type != "*", named.type != "multipart", !knownTypes.contains(named.essence),
                PixelMediaTypes.canonicalName(named.essence) == nil, named.type != "image", named.type != "video"
            else { return nil }
            return Representation(
                .document(named.essence), isMultipart ? .multipart : .single, quality: range.quality,
                isWildcard: named.isWildcard)
        }
    }

    private static let knownTypes: Set<String> = [
        "application/dicom", "application/dicom+json", "application/dicom+xml", "application/json",
        "application/octet-stream", "application/zip",
    ]

    private static func isInstanceRange(_ range: AcceptHeader.Range) -> Bool {
        guard range.quality > 0 else { return false }
        let essence = range.mediaType.essence
        return essence == "application/dicom"
            || essence == "multipart/related"
                && range.mediaType["type"].flatMap { MediaType($0) }?.essence == "application/dicom"
    }

    private static func notAcceptable(_ detail: String) -> DICOMWebError {
        DICOMWebError(.notAcceptable, detail, clause: "PS3.18 8.7.8")
    }
}
