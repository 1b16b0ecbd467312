/// A form in which a resource can be returned (PS3.18 8.7.4).
public struct Representation: Hashable, Sendable {
    /// What the body, or each part of it, holds.
    public enum Content: Hashable, Sendable {
        /// Part 10 files.
        case dicom
        /// The DICOM JSON model.
        case dicomJSON
        /// The Native DICOM Model.
        case dicomXML
        /// Bulk data as bytes.
        case octetStream
        /// Pixel data in a compressed media type of `PixelMediaTypes`.
        case pixels(String)
        /// An encapsulated document in its own type (0042,0012).
        case document(String)
        /// Part 10 files in an archive.
        case zip
        /// The capabilities document.
        case wadl
    }

    public enum Packaging: Hashable, Sendable {
        case single
        /// `multipart/related`.
        case multipart
    }

    public var content: Content
    public var packaging: Packaging
    public var transferSyntax: TransferSyntaxWish
    /// Weight in thousandths.
    public var quality: Int
    /// Whether only a wildcard asks for it.
    public var isWildcard: Bool

    public init(
        _ content: Content, _ packaging: Packaging, transferSyntax: TransferSyntaxWish = .default, quality: Int = 1000,
        isWildcard: Bool = false
    ) {
        self.content = content
        self.packaging = packaging
        self.transferSyntax = transferSyntax
        self.quality = quality
        self.isWildcard = isWildcard
    }

    /// The media type of the body, or of each part, without parameters.
    public var mediaType: String {
        switch content {
        case .dicom: "application/dicom"
        case .dicomJSON: "application/dicom+json"
        case .dicomXML: "application/dicom+xml"
        case .octetStream: "application/octet-stream"
        case .pixels(let type): PixelMediaTypes.wireName(type)
        case .document(let type): type
        case .zip: "application/zip"
        case .wadl: CapabilitiesDescription.mediaType
        }
    }

    /// The Content-Type of the body, or of each part, when the pixel data or file is in this transfer syntax. It is
    /// always told, so that nobody has to know the defaults.
    public func contentType(transferSyntax uid: String?) -> String {
        guard let uid, isInTransferSyntax else { return mediaType }
        return "\(mediaType); transfer-syntax=\(uid)"
    }

    private var isInTransferSyntax: Bool {
        switch content {
        case .dicom, .octetStream, .pixels: true
        case .dicomJSON, .dicomXML, .document, .zip, .wadl: false
        }
    }
}
