import DICOMCore

extension RefusalCause {
    /// One of each kind, for the documentation.
    package static var all: [RefusalCause] { Array(sequence(first: .emptyPart, next: \.successor)) }

    /// What follows in `all`: a switch, so that a new cause cannot be forgotten.
    private var successor: RefusalCause? {
        switch self {
        case .emptyPart: .notDICOM(offset: 0)
        case .notDICOM: .truncated(offset: 0)
        case .truncated: .malformed(offset: 0)
        case .malformed: .tooComplex(offset: 0)
        case .tooComplex: .partMalformed
        case .partMalformed: .metadataUnusable
        case .metadataUnusable: .bulkDataMissing(nil)
        case .bulkDataMissing: .bulkDataUnusable("what is wrong with it")
        case .bulkDataUnusable: .transferSyntax
        case .transferSyntax: .missingUID(.studyInstanceUID)
        case .missingUID: .emptyUID(.studyInstanceUID)
        case .emptyUID: .invalidUID(.studyInstanceUID)
        case .invalidUID: .studyMismatch
        case .studyMismatch: .sopClass
        case .sopClass: .validation
        case .validation: .duplicate
        case .duplicate: .classConflict
        case .classConflict: .notAuthorized
        case .notAuthorized: .tooLarge(limit: 1 << 30)
        case .tooLarge: .outOfSpace
        case .outOfSpace: .backendDown
        case .backendDown: .internalFailure
        case .internalFailure: nil
        }
    }
}
