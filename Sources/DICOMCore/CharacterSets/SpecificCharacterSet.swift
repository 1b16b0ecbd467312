/// How the text of a data set is encoded: the meaning of (0008,0005) Specific Character Set (PS3.3 C.12.1.1.2).
public struct SpecificCharacterSet: Hashable, Sendable {
    /// The defined terms in order, as they stood in the data set; the first may be empty.
    public let terms: [String]

    public init(terms: [String]) {
        self.terms = terms
    }

    /// The default repertoire, ISO-IR 6, with the fallback for bytes above 7F that `decode` documents.
    public static let `default` = SpecificCharacterSet(terms: [])
    /// UTF-8.
    public static let utf8 = SpecificCharacterSet(terms: ["ISO_IR 192"])
}
