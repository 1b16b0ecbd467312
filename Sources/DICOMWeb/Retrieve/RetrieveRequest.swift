import DICOMCore

/// How strictly Accept headers are taken.
public struct NegotiationRules: Hashable, Sendable {
    /// Whether a request without an Accept header is answered with 406, as PS3.18 8.7.5 wants. Nearly no server does.
    public var requiresAccept = false

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
    case searchResult
    case storeResponse
    case capabilities
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
        var representations = Self.choose(.of(kind), accept, query)
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
            case .dicomJSON, .dicomXML, .zip, .wadl: true
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
        return Self.choose(Offers(offers), accept, query).first
    }

    private var allowsSingle: Bool {
        switch kind {
        case .instance, .bulkData, .bulkDataValue, .frames(count: 1): true
        default: false
        }
    }

    // MARK: - Offers

    private struct Offer: Sendable {
        let content: Representation.Content
        let packaging: Representation.Packaging
        /// As the ranges of a request are compared with it.
        let mediaType: MediaType

        /// - Parameter alias: another name under which it is asked for.
        init(_ content: Representation.Content, _ packaging: Representation.Packaging, alias: String? = nil) {
            self.content = content
            self.packaging = packaging
            let text = alias ?? Representation(content, packaging).mediaType
            let type = MediaType(text) ?? MediaType(type: "application", subtype: "octet-stream")
            mediaType =
                packaging == .single
                ? type
                : MediaType(type: "multipart", subtype: "related", parameters: [.init("type", type.essence)])
        }

        /// Whether it stands for any other type: `document(_:)` decides when the type of the value is known.
        var isAnyDocument: Bool { content == .document(Self.anyType) }

        static func anyDocument(_ packaging: Representation.Packaging) -> Offer {
            Offer(.document(anyType), packaging)
        }

        private static let anyType = "*/*"
    }

    /// What a kind of resource offers, made once: it is compared with the header of every request.
    private struct Offers: Sendable {
        let plain: [Offer]
        let selection: MediaTypeSelection
        /// How any other type is offered.
        let documents: Set<Representation.Packaging>

        init(_ offers: [Offer]) {
            plain = offers.filter { !$0.isAnyDocument }
            selection = MediaTypeSelection(offers: plain.map(\.mediaType))
            documents = Set(offers.filter(\.isAnyDocument).map(\.packaging))
        }

        static func of(_ kind: ResourceKind) -> Offers {
            switch kind {
            case .instances: instances
            case .instance: instance
            case .metadata, .searchResult: models
            case .storeResponse: storeResponse
            case .bulkData, .bulkDataValue: values
            case .frames(count: 1): frame
            case .frames: frames
            case .capabilities: capabilities
            }
        }

        private static let instances = Offers(
            [Offer(.dicom, .multipart)] + bulkData(single: false) + [Offer(.zip, .single), .anyDocument(.multipart)])
        private static let instance = Offers(
            [Offer(.dicom, .multipart), Offer(.dicom, .single)] + bulkData(single: true)
                + [Offer(.zip, .single), .anyDocument(.multipart), .anyDocument(.single)])
        private static let models = Offers(json + [Offer(.dicomXML, .multipart)])
        private static let storeResponse = Offers(json + [Offer(.dicomXML, .single), Offer(.dicomXML, .multipart)])
        private static let values = Offers(
            bulkData(single: true) + [.anyDocument(.multipart), .anyDocument(.single)])
        private static let frame = Offers(bulkData(single: true))
        private static let frames = Offers(bulkData(single: false))
        private static let capabilities = Offers([Offer(.wadl, .single)])

        private static let json = [
            Offer(.dicomJSON, .single), Offer(.dicomJSON, .single, alias: "application/json"),
        ]

        private static func bulkData(single: Bool) -> [Offer] {
            let contents: [Representation.Content] = [.octetStream] + PixelMediaTypes.all.map { .pixels($0) }
            return contents.flatMap { content in
                [Offer(content, .multipart)] + (single ? [Offer(content, .single)] : [])
            }
        }
    }

    private static func choose(
        _ offers: Offers, _ accept: AcceptHeader, _ query: AcceptHeader?
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

    private static func choose(_ offers: Offers, _ accept: AcceptHeader) -> [Representation] {
        var result: [Representation] = []
        for choice in offers.selection.choices(accept: accept) {
            let offer = offers.plain[choice.offer]
            var wish = TransferSyntaxWish(parameter: choice.transferSyntax)
            switch offer.content {
            // Whoever takes any image type takes the one that is stored.
            case .pixels where choice.isWildcard && wish == .default: wish = .any
            default: break
            }
            result.append(
                Representation(
                    offer.content, offer.packaging, transferSyntax: wish, quality: choice.quality,
                    isWildcard: choice.isWildcard))
        }
        guard !offers.documents.isEmpty else { return result }
        result += documents(in: accept).filter { offers.documents.contains($0.packaging) }
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
