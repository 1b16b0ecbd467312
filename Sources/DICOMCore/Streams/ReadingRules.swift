/// What a reader accepts although the standard does not. Each leniency has a name; what is accepted is reported as a
/// `Finding`, what is not is an error.
public struct ReadingRules: Hashable, Sendable {
    /// A file without the 128-byte preamble, or without `DICM` (PS3.10 7.1).
    public var acceptsMissingPreamble: Bool
    /// A file without file meta information, or with one that lacks the transfer syntax.
    public var acceptsMissingFileMeta: Bool
    /// File meta information with a wrong group length, in implicit VR, or with a padded transfer syntax UID.
    public var acceptsSloppyFileMeta: Bool
    /// A data set in another encoding than its transfer syntax says.
    public var acceptsTransferSyntaxMismatch: Bool
    /// Bytes behind the data set.
    public var acceptsTrailingBytes: Bool
    /// Headers with a two-byte length where four belong, with unknown or missing VRs.
    public var acceptsIrregularHeaders: Bool
    /// Values of odd length.
    public var acceptsOddLengths: Bool
    /// Text that is cut at the end of its item.
    public var acceptsClampedText: Bool
    /// Tags twice or not ascending.
    public var acceptsDisorder: Bool
    /// Delimiters too many, too few or with a length.
    public var acceptsSloppyDelimiters: Bool
    /// Pixel data that is encapsulated where it should not be, or lacks its offset table or delimiter.
    public var acceptsIrregularPixelData: Bool

    /// Native pixel data that is shorter than the attributes or its own length say: frames are missing at the end. Off
    /// unless asked for, for the instance is damaged.
    public var acceptsTruncatedPixelData = false

    private init(all: Bool) {
        acceptsMissingPreamble = all
        acceptsMissingFileMeta = all
        acceptsSloppyFileMeta = all
        acceptsTransferSyntaxMismatch = all
        acceptsTrailingBytes = all
        acceptsIrregularHeaders = all
        acceptsOddLengths = all
        acceptsClampedText = all
        acceptsDisorder = all
        acceptsSloppyDelimiters = all
        acceptsIrregularPixelData = all
    }

    /// Whatever can be read without doubt and without loss is read.
    public static let tolerant = ReadingRules(all: true)
    /// Only what the standard allows.
    public static let strict = ReadingRules(all: false)

    /// Whether an instance in which this was found is read on.
    func accepts(_ rule: Finding.Rule) -> Bool {
        switch rule {
        case .missingPreamble, .missingPrefix: acceptsMissingPreamble
        case .missingFileMeta, .missingTransferSyntax, .commandSet: acceptsMissingFileMeta
        case .wrongMetaGroupLength, .implicitFileMeta, .paddedTransferSyntax, .metaUIDMismatch: acceptsSloppyFileMeta
        case .transferSyntaxMismatch, .wrappedDeflate, .explicitItemInImplicit: acceptsTransferSyntaxMismatch
        case .trailingData, .trailingSlack: acceptsTrailingBytes
        case .shortLengthField, .missingVR, .unlabelledSequence, .skippedTag: acceptsIrregularHeaders
        case .oddLength, .paddedOddLength: acceptsOddLengths
        case .clampedLength: acceptsClampedText
        case .tagsOutOfOrder, .duplicateTag: acceptsDisorder
        case .strayDelimiter, .missingItemDelimiter, .missingSequenceDelimiter, .delimiterLength, .skippedNonItem:
            acceptsSloppyDelimiters
        case .mislabelledPixelData, .missingOffsetTable: acceptsIrregularPixelData
        case .truncatedPixelData: acceptsTruncatedPixelData
        case .unknownTransferSyntax, .reservedBytesSet, .unknownVR, .pixelDataTooLong, .emptyPixelData,
            .severalPixelData, .missingUID, .emptyUID, .invalidUID, .invalidLength, .invalidCharacters:
            true
        }
    }
}
