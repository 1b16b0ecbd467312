/// Where and why encoding a data set stopped.
public struct DataSetWriteError: Error, Hashable, Sendable {
    /// The cause, in a closed set.
    public enum Code: Hashable, Sendable {
        /// The value is not in memory and nobody supplied its bytes.
        case missingBytes
        /// The value has 2^32 - 1 bytes or more (PS3.5 7.1.1).
        case valueTooLong
        /// Sequences are nested deeper than any reader accepts.
        case nestingTooDeep(limit: Int)
    }

    public var code: Code
    /// The element that could not be written.
    public var tag: Tag

    public init(_ code: Code, _ tag: Tag) {
        self.code = code
        self.tag = tag
    }
}
