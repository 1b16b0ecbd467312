package import DICOMCore

/// Why an instance was not stored, with the Failure Reason (0008,1197) that tells it.
///
/// No case holds a value of an attribute other than a UID of the standard's own.
package enum RefusalCause: Hashable, Codable, Sendable {
    /// The part has no bytes.
    case emptyPart
    /// Neither Part 10 nor a data set that can be recognised (dicomweb.md 7.1).
    case notDICOM(offset: Int)
    /// The data set, or the pixel data that it announces, does not come to its end.
    case truncated(offset: Int)
    /// An element that cannot be read.
    case malformed(offset: Int)
    /// A limit of the parser: nesting, number of elements, inflated size.
    case tooComplex(offset: Int)
    /// The multipart part or its header is malformed, or it is another multipart.
    case partMalformed
    /// The metadata part is not what its media type says, or a value in it cannot be encoded.
    case metadataUnusable
    /// A BulkDataURI that names none of the request's parts. Such URIs are never fetched.
    case bulkDataMissing(Tag?)
    /// A bulk data part whose media type has no transfer syntax, or whose content is not what it says.
    case bulkDataUnusable(String)
    /// The transfer syntax is not one that a file may have, or the configuration refuses it.
    case transferSyntax
    case missingUID(Tag)
    case emptyUID(Tag)
    case invalidUID(Tag)
    /// The data set's Study Instance UID is not the one of the request.
    case studyMismatch
    /// The SOP Class is on the deny list, or the file is a DICOMDIR.
    case sopClass
    /// The attributes contradict the SOP Class, or a rule of the site.
    case validation
    /// Another version of this instance is kept, or it belongs to another study or series.
    case duplicate
    /// The same SOP Instance UID is held with another SOP Class.
    case classConflict
    /// The sender may not write to this study.
    case notAuthorized
    /// More bytes than one instance may have.
    case tooLarge(limit: Int)
    /// Disk, object store or quota is full.
    case outOfSpace
    /// Database or object store do not answer: the same request may succeed later.
    case backendDown
    /// Something of ours went wrong.
    case internalFailure

    /// Failure Reason (0008,1197) (PS3.18 Table I.2.2; dicomweb.md 3.4).
    package var code: UInt16 {
        switch self {
        case .emptyPart, .notDICOM, .truncated, .malformed, .metadataUnusable: 0xC000
        case .tooComplex: 0xC001
        case .partMalformed: 0xC002
        case .bulkDataMissing: 0xC003
        case .transferSyntax, .bulkDataUnusable: 0xC122
        case .missingUID: 0x0120
        case .emptyUID: 0x0121
        case .invalidUID: 0x0106
        case .studyMismatch: 0xA901
        case .sopClass: 0x0122
        case .validation: 0xA900
        case .duplicate: 0x0111
        case .classConflict: 0x0119
        case .notAuthorized: 0x0124
        case .tooLarge: 0xA701
        case .outOfSpace: 0xA700
        case .backendDown, .internalFailure: 0x0110
        }
    }

    /// Whether database or object store are to blame, so that the answer is 503 when nothing was stored.
    package var isBackendDown: Bool { self == .backendDown }

    /// Whether storage is full, so that the answer is 507 when nothing was stored.
    package var isOutOfSpace: Bool { self == .outOfSpace }

    /// Whether the bytes could not be understood at all, so that the answer is 400 when nothing was stored.
    package var isUndecodable: Bool {
        switch self {
        case .emptyPart, .notDICOM, .truncated, .malformed, .tooComplex, .partMalformed, .metadataUnusable: true
        case .bulkDataMissing, .bulkDataUnusable, .transferSyntax, .missingUID, .emptyUID,
            .invalidUID, .studyMismatch, .sopClass, .validation, .duplicate, .classConflict, .notAuthorized,
            .tooLarge, .outOfSpace, .backendDown, .internalFailure:
            false
        }
    }

    /// The attribute that is wrong.
    package var tag: Tag? {
        if case .missingUID(let tag) = self { return tag }
        if case .emptyUID(let tag) = self { return tag }
        if case .invalidUID(let tag) = self { return tag }
        if case .bulkDataMissing(let tag) = self { return tag }
        return nil
    }

    /// Where reading stopped, in bytes from the start of the part.
    package var offset: Int? {
        if case .notDICOM(let offset) = self { return offset }
        if case .truncated(let offset) = self { return offset }
        if case .malformed(let offset) = self { return offset }
        if case .tooComplex(let offset) = self { return offset }
        return nil
    }

    /// What is wrong, in a sentence that holds no value of the data set.
    package var explanation: String {
        switch self {
        case .emptyPart: "The part is empty."
        case .notDICOM: "The part is neither a DICOM file nor a data set."
        case .truncated: "The data set ends in the middle of an element."
        case .malformed: "The data set holds an element that cannot be read."
        case .tooComplex: "The data set exceeds a limit for nesting, elements or inflated size."
        case .partMalformed: "The multipart part is malformed."
        case .metadataUnusable: "The metadata cannot be turned into a data set."
        case .bulkDataMissing: "A bulk data URI names no part of this request."
        case .bulkDataUnusable(let why): "A bulk data part cannot be used: \(why)."
        case .transferSyntax: "The transfer syntax is not supported."
        case .missingUID(let tag): "The UID \(tag) is missing."
        case .emptyUID(let tag): "The UID \(tag) is empty."
        case .invalidUID(let tag): "The UID \(tag) is not a valid UID."
        case .studyMismatch: "The Study Instance UID is not the one of the request."
        case .sopClass: "The SOP Class is not accepted."
        case .validation: "The data set does not match its SOP Class."
        case .duplicate: "Another instance is held under this SOP Instance UID."
        case .classConflict: "The SOP Instance UID is held with another SOP Class."
        case .notAuthorized: "Not authorized to write to this study."
        case .tooLarge(let limit): "The instance is larger than \(limit) bytes."
        case .outOfSpace: "Out of storage space."
        case .backendDown: "The storage back end does not answer. Try again later."
        case .internalFailure: "The instance could not be processed."
        }
    }
}
