/// Something about an instance that is not as the standard says, and was read nevertheless. Never holds a value.
public struct Finding: Hashable, Sendable {
    /// What was found. The raw value is a name for logs and reports.
    public enum Rule: String, CaseIterable, Hashable, Sendable {
        // The envelope (PS3.10 7.1)
        case missingPreamble, missingPrefix, missingFileMeta, missingTransferSyntax, wrongMetaGroupLength
        case implicitFileMeta, unknownTransferSyntax, transferSyntaxMismatch, paddedTransferSyntax, metaUIDMismatch
        case commandSet, wrappedDeflate, trailingData, trailingSlack
        // Element headers (PS3.5 7.1)
        case shortLengthField, reservedBytesSet, unknownVR, missingVR, unlabelledSequence, oddLength, paddedOddLength
        case clampedLength, tagsOutOfOrder, duplicateTag, strayDelimiter, skippedTag
        // Sequences (PS3.5 7.5)
        case missingItemDelimiter, missingSequenceDelimiter, delimiterLength, explicitItemInImplicit, skippedNonItem
        // Pixel data (PS3.5 A.4)
        case mislabelledPixelData, missingOffsetTable, pixelDataTooLong, truncatedPixelData, emptyPixelData
        case severalPixelData
        // Identity and values
        case missingUID, emptyUID, invalidUID, invalidLength, invalidCharacters
    }

    public var rule: Rule
    /// The element it is about, if it is about one.
    public var tag: Tag?
    /// Byte offset of the element's header in the stream, if known.
    public var offset: Int?

    public init(_ rule: Rule, tag: Tag? = nil, offset: Int? = nil) {
        self.rule = rule
        self.tag = tag
        self.offset = offset
    }
}

extension Finding: CustomStringConvertible {
    /// Such as `oddLength (0010,0020) at 452`.
    public var description: String {
        var text = rule.rawValue
        if let tag { text += " \(tag)" }
        if let offset { text += " at \(offset)" }
        return text
    }
}
