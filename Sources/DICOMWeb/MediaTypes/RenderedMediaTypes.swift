/// The media types that instances can be rendered to (PS3.18 8.7.2, Table 8.7.4-1).
public struct RenderedMediaTypes: Hashable, Sendable {
    /// What an instance is to a viewer, whatever its transfer syntax.
    public enum Category: Hashable, Sendable {
        /// An image of one frame, or a frame picked out.
        case singleFrameImage
        case multiFrameImage
        /// Frames in a video codec, in the media type that holds it: handed out as they are.
        case video(String)
        /// The content tree of a structured report.
        case structuredReport
        /// An encapsulated document in its own media type (0042,0012), handed out as it is.
        case document(String)
        /// Nothing to look at.
        case other

        /// The types in which one part can be, the default first.
        public var partTypes: [String] {
            switch self {
            case .singleFrameImage, .multiFrameImage: ["image/jpeg", "image/png", "image/gif"]
            case .video(let type), .document(let type): [type]
            case .structuredReport: ["text/html", "text/plain", "text/xml"]
            case .other: []
            }
        }

        /// The types of which one body holds all of an instance.
        var wholeTypes: [String] {
            switch self {
            case .multiFrameImage: ["image/gif"]
            case .singleFrameImage, .video, .structuredReport, .document, .other: partTypes
            }
        }
    }

    /// One way to answer.
    public struct Offer: Hashable, Sendable {
        /// Of the body, or of each part.
        public var mediaType: String
        public var isMultipart: Bool

        public init(_ mediaType: String, isMultipart: Bool) {
            self.mediaType = mediaType
            self.isMultipart = isMultipart
        }

        /// The form in which a request names it.
        var range: MediaType? {
            guard let type = MediaType(mediaType) else { return nil }
            guard isMultipart else { return type }
            return MediaType(type: "multipart", subtype: "related", parameters: [.init("type", type.essence)])
        }
    }

    /// In our order of preference, the default first; empty when there is nothing to render.
    public let offers: [Offer]

    /// The offers for an answer about these instances. A single body is offered for one instance only; all frames of a
    /// multi-frame image are one body as an animated GIF, else one part each.
    public init(_ instances: [Category]) {
        var single: [Offer] = []
        var multipart: [Offer] = []
        if instances.count == 1, let only = instances.first {
            single = only.wholeTypes.map { Offer($0, isMultipart: false) }
        }
        for type in instances.flatMap(\.partTypes) {
            let offer = Offer(type, isMultipart: true)
            if !multipart.contains(offer) { multipart.append(offer) }
        }
        // Who asks for anything gets all frames as pictures, not an animation of 256 colours.
        offers = instances == [.multiFrameImage] ? multipart + single : single + multipart
    }

    /// The acceptable offers, best first; 406 when there are none. Ranges with a transfer syntax, which rendered types
    /// do not have, are passed over.
    public func choices(accept: AcceptHeader, query: AcceptHeader? = nil) throws(DICOMWebError) -> [Offer] {
        let usable = offers.compactMap { offer in offer.range.map { (offer, $0) } }
        let choices = MediaTypeSelection(offers: usable.map(\.1)).choices(accept: accept, query: query)
            .filter { $0.transferSyntax == nil }.map { usable[$0.offer].0 }
        guard !choices.isEmpty else {
            throw DICOMWebError(
                .notAcceptable,
                offers.isEmpty
                    ? "There is nothing to render." : "None of the media types of this resource is acceptable.",
                clause: "PS3.18 8.7.8")
        }
        return choices
    }
}
