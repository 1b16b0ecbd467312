public import HTTPTypes

/// Why a DICOMweb request is refused before any instance is looked at (PS3.18 8.5).
///
/// Texts name parameters, headers and paths of the protocol, never the value of an attribute.
public struct DICOMWebError: Error, Hashable, Sendable {
    /// What kind of refusal it is. The raw value is the stable last segment of a problem's `type`.
    public enum Code: String, CaseIterable, Hashable, Sendable {
        case unknownResource = "unknown-resource"
        case invalidPath = "invalid-path"
        case methodNotAllowed = "method-not-allowed"
        case invalidQuery = "invalid-query"
        case invalidFrameList = "invalid-frame-list"
        case invalidContentType = "invalid-content-type"
        case unsupportedMediaType = "unsupported-media-type"
        case notAcceptable = "not-acceptable"
        case malformedBody = "malformed-body"
    }

    public var code: Code
    public var status: HTTPResponse.Status
    /// A short sentence that is the same for every occurrence of the code.
    public var title: String
    /// What was wrong with this request.
    public var detail: String
    /// Text for a `Warning: 299` header, if there should be one.
    public var warning: String?
    /// For 405: the methods that the resource has.
    public var allow: [HTTPRequest.Method] = []
    /// The clause that demands the refusal, such as `PS3.18 8.3.4`.
    public var clause: String

    public init(_ code: Code, _ detail: String, clause: String, warning: String? = nil) {
        self.code = code
        self.detail = detail
        self.clause = clause
        self.warning = warning
        (status, title) =
            switch code {
            case .unknownResource: (.notFound, "No such resource")
            case .invalidPath: (.badRequest, "Malformed resource path")
            case .methodNotAllowed: (.methodNotAllowed, "Method not allowed")
            case .invalidQuery: (.badRequest, "Malformed query")
            case .invalidFrameList: (.badRequest, "Malformed frame list")
            case .invalidContentType: (.badRequest, "Malformed Content-Type")
            case .unsupportedMediaType: (.unsupportedMediaType, "Unsupported media type")
            case .notAcceptable: (.notAcceptable, "No acceptable representation")
            case .malformedBody: (.badRequest, "Malformed body")
            }
    }
}
