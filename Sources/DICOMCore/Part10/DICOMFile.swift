/// What was read of a DICOM file (PS3.10 7): its meta information, its data set, and how good it is.
public struct DICOMFile: Sendable {
    /// Values of group 0002 as they were found; may be mostly absent.
    public var fileMeta: FileMetaInformation
    /// The data set without group lengths and trailing padding. Values that were not retained are ranges of the stream.
    public var dataSet: DataSet
    /// How the bytes really are encoded; `nil` for a transfer syntax that we do not know.
    public var transferSyntax: TransferSyntax?
    /// The transfer syntax to record: the one that the bytes have, or the unknown one that the file names.
    public var transferSyntaxUID: String
    /// Offset in the file of the first byte behind group 0002 (and behind a command set, if one was left in front).
    public var dataSetOffset: Int
    /// Whether the received file may be given back unchanged: preamble, prefix and file meta information are right and
    /// agree with the data set.
    public var isFaithful: Bool
    /// Bytes of the file.
    public var length: Int
    /// Bytes at the end that belong to no data element: NULs, FF, or another file.
    public var slackLength: Int
    /// What was not as the standard says. Never holds a value.
    public var findings: [Finding]

    /// File meta information for the same data set bytes in a file of ours.
    public var rewrittenFileMeta: FileMetaInformation {
        var meta = fileMeta
        let identity = IdentityCheck(dataSet: dataSet)
        if let uid = identity.sopClass.uid { meta.mediaStorageSOPClassUID = uid }
        if let uid = identity.sopInstance.uid { meta.mediaStorageSOPInstanceUID = uid }
        meta.transferSyntaxUID = transferSyntaxUID
        return meta
    }
}

extension DICOMFile {
    /// A data set of which only elements are known, not the file that they are from.
    public init(dataSet: DataSet, transferSyntaxUID: String, length: Int) {
        self.init(
            fileMeta: FileMetaInformation(), dataSet: dataSet, transferSyntax: TransferSyntax(uid: transferSyntaxUID),
            transferSyntaxUID: transferSyntaxUID, dataSetOffset: 0, isFaithful: true, length: length, slackLength: 0,
            findings: [])
    }
}
