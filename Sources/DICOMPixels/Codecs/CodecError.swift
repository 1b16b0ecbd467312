/// Why a frame could not be decoded or encoded.
public struct CodecError: Error, Hashable, Sendable {
    public enum Code: Hashable, Sendable {
        /// No codec for this transfer syntax, or one that does not know this variant.
        case unsupported
        /// The codestream ends too early or breaks the rules of its format.
        case corrupt
        /// The frame has more bytes than the limit allows.
        case tooLarge
        /// The codestream and the data set describe different images (PS3.5 8.2).
        case disagreesWithDataSet
    }

    public var code: Code
    /// In words, without anything of the image.
    public var reason: String

    public init(_ code: Code, _ reason: String) {
        self.code = code
        self.reason = reason
    }

    static func unsupported(_ reason: String) -> CodecError { CodecError(.unsupported, reason) }
    static func corrupt(_ reason: String) -> CodecError { CodecError(.corrupt, reason) }
    static func disagrees(_ reason: String) -> CodecError { CodecError(.disagreesWithDataSet, reason) }
    static let tooLarge = CodecError(.tooLarge, "the decoded frame is larger than allowed")
    static let truncated = CodecError(.corrupt, "the codestream ends too early")
}
