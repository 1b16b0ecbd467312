package import Archive
package import DICOMCore

/// What became of one instance that was offered.
package enum IngestionOutcome: Sendable {
    /// It is held durably under its own UIDs. `isDuplicate`: it already was, and nothing was written.
    case stored(InstanceIdentity, warning: IngestionWarning?, isDuplicate: Bool)
    /// It is not held. With an identity it belongs to FailedSOPSequence, without one to OtherFailuresSequence.
    case refused(RefusalCause, identity: PartialIdentity?)
}

/// What could be told of an instance that was refused: enough for an item of FailedSOPSequence (PS3.18 I.2.2).
package struct PartialIdentity: Hashable, Codable, Sendable {
    package var sopClass: UID
    package var instance: UID
    package var study: UID?

    package init(sopClass: UID, instance: UID, study: UID? = nil) {
        self.sopClass = sopClass
        self.instance = instance
        self.study = study
    }
}

/// What the sender should know of an instance that was stored; the first one that applies is told.
package enum IngestionWarning: Hashable, Sendable, CaseIterable {
    /// Stored under its own Study Instance UID, which is not the one of the request.
    case studyMismatch
    /// (0002,0002) or (0002,0003) differ from the data set, which counts.
    case fileMetaDiffers
    /// Bytes follow the data set.
    case slack
    /// The study is held with another Patient ID.
    case patientDiffers
    /// A bulk data part of the request belongs to no attribute.
    case unreferencedBulkData

    /// Warning Reason (0008,1196): data set does not match SOP Class (PS3.18 Table I.2.1).
    package var code: UInt16 { 0xB007 }

    /// What it means, in a sentence that holds no value of the data set.
    package var explanation: String {
        switch self {
        case .studyMismatch: "The Study Instance UID is not the one of the request."
        case .fileMetaDiffers: "The File Meta Information names another SOP Instance than the data set."
        case .slack: "There are bytes behind the data set."
        case .patientDiffers: "The study is held with another Patient ID."
        case .unreferencedBulkData: "A bulk data part belongs to no attribute."
        }
    }
}
