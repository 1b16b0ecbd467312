/// Where and why a text model could not be read.
public struct ModelError: Error, Hashable, Sendable {
    /// What was wrong with the document.
    public enum Code: Hashable, Sendable {
        /// Not UTF-8 throughout, or with a byte order mark in JSON.
        case notUTF8
        /// The document ends too early.
        case truncated
        /// Not well-formed JSON or XML.
        case malformed
        /// Something follows the document.
        case trailingBytes
        /// Half of a surrogate pair.
        case loneSurrogate
        /// A document type declaration, with or without entities.
        case documentType
        /// An element, or a JSON type, that has no place there.
        case unexpected
        /// A name that is no tag.
        case invalidTag
        /// No VR where one is needed, or one that is unknown.
        case invalidVR
        /// A value that its VR cannot hold.
        case invalidValue
        /// InlineBinary that is not base64.
        case invalidBase64
        /// A member or a tag for the second time.
        case duplicate
        /// More than one of Value, InlineBinary and BulkDataURI.
        case conflictingValues
        case tooLarge(limit: Int)
        case nestingTooDeep(limit: Int)
        case tooManyElements(limit: Int)
        case tooManyItems(limit: Int)
    }

    public var code: Code
    /// Byte offset in the document.
    public var offset: Int

    public init(_ code: Code, at offset: Int) {
        self.code = code
        self.offset = offset
    }
}

/// How much of a document is read before it is refused.
public struct ModelLimits: Hashable, Sendable {
    /// Bytes of the document.
    public var bytes = 256 << 20
    /// Sequences within sequences.
    public var depth = 64
    /// Data elements of the whole document.
    public var elements = 1_000_000
    /// Items of the whole document; data sets at the top count too.
    public var items = 1_000_000

    public init() {}

    /// The limits of this server.
    public static let standard = ModelLimits()
}
