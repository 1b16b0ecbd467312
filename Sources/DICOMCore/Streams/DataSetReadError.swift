/// Where and why reading a data set or a Part 10 file stopped.
public struct DataSetReadError: Error, Hashable, Sendable {
    /// The cause, in a closed set.
    public enum Code: Hashable, Sendable {
        /// The bytes end inside an element, an item, or the pixel data that the attributes announce.
        case truncated
        /// The bytes begin with nothing that a DICOM file or data set begins with (PS3.10 7.1).
        case notDICOM
        /// The bytes where a VR belongs are none, and no other reading of the header fits.
        case invalidVR
        /// A tag that cannot stand here: an odd group below 0008, group FFFF, an item outside of a sequence.
        case invalidTag(Tag)
        /// Something else than an item where a sequence or pixel data needs one (PS3.5 7.5).
        case invalidItem
        /// A length that reaches past the end of the item or sequence around it.
        case lengthOverflow
        /// An undefined length where none is allowed (PS3.5 7.1.1).
        case undefinedLength
        /// A deflated data set whose stream is damaged (PS3.5 A.5).
        case corruptDeflate
        /// An identifying UID occurs twice with different values.
        case conflictingUIDs(Tag)
        /// Something readable that the rules in force do not accept.
        case notAllowed(Finding.Rule)
        case nestingTooDeep(limit: Int)
        case tooManyElements(limit: Int)
        case tooManyItems(limit: Int)
        /// Headers and values, bulk data not counted, are larger than a data set may be.
        case tooManyBytes(limit: Int)
        /// A deflated data set inflates to more than the limits allow.
        case inflateLimit(limit: Int)
    }

    public var code: Code
    /// Byte offset of the header being read, from the first byte of the stream; in a deflated data set it counts
    /// inflated bytes.
    public var offset: Int

    public init(_ code: Code, at offset: Int) {
        self.code = code
        self.offset = offset
    }

    /// Whether the data set is not wrong but too much: a bomb, or far beyond what is real.
    public var isExcessive: Bool {
        switch code {
        case .nestingTooDeep, .tooManyElements, .tooManyItems, .tooManyBytes, .inflateLimit: true
        case .truncated, .notDICOM, .invalidVR, .invalidTag, .invalidItem, .lengthOverflow, .undefinedLength,
            .corruptDeflate, .conflictingUIDs, .notAllowed:
            false
        }
    }
}
