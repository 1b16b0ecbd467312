package import BlobStorage

/// What the index made of an instance that was offered.
package enum StoreDecision: Sendable {
    /// New: rows and a change were written.
    case stored(StoreNotes)
    /// The same instance is there already, in this file: nothing was written. The file is the one that was offered when
    /// the offer is repeated because nobody knew what became of the first.
    case identical(at: BlobLocation)
    /// An instance of that SOP Instance UID is there with another digest. The caller compares the two data sets
    /// (without group 0002) and offers the instance again with the comparison.
    case needsComparison(StoredInstance)
    /// It took the place of other content; the blob of that is to be deleted after the commit.
    case replaced(previous: BlobLocation, StoreNotes)
    /// It cannot be stored.
    case conflict(ConflictCause)
}

/// What to tell about an instance that was stored.
package struct StoreNotes: Hashable, Codable, Sendable {
    /// The study is known under another Patient ID; the first one is kept for the study.
    package var patientDiffers: Bool
    /// The study came to exist with this instance.
    package var isNewStudy: Bool
    /// Sequence number of the change row that was written.
    package var change: Int64

    package init(patientDiffers: Bool, isNewStudy: Bool, change: Int64) {
        self.patientDiffers = patientDiffers
        self.isNewStudy = isNewStudy
        self.change = change
    }
}

/// Why an instance cannot be stored beside what is there.
package enum ConflictCause: String, Hashable, Codable, Sendable {
    /// Same SOP Instance UID, other content, and the policy keeps the first (failure reason 0111H).
    case otherContent
    /// Same SOP Instance UID in another study or series (failure reason 0111H).
    case otherParent
    /// Same SOP Instance UID of another SOP Class (failure reason 0119H).
    case otherClass
}

/// The outcome of comparing an offered data set with the stored one of the same SOP Instance UID.
package struct DataSetComparison: Hashable, Sendable {
    /// Digest of the stored file that was compared. If the index has another one by now, it asks again.
    package var storedDigest: [UInt8]
    /// Whether the data sets, without group 0002, are the same.
    package var isSame: Bool

    package init(storedDigest: [UInt8], isSame: Bool) {
        self.storedDigest = storedDigest
        self.isSame = isSame
    }
}
