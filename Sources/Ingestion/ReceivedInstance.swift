package import Archive
package import BlobStorage
package import DICOMCore

/// First stage: the bytes of one instance are taken in, hashed and parsed, and wait in the blob store's staging.
///
/// It must be given to `IngestionPipeline.ingest` or `discard`; whoever drops it leaves staged bytes to the sweep.
package struct ReceivedInstance: Sendable {
    /// What was read, and the staged bytes; or why there are none.
    package enum Content: Sendable {
        case file(DICOMFile, StagedBlob)
        case refused(RefusalCause, identity: PartialIdentity?)
    }

    package var content: Content
    /// Bytes that came in, whatever became of them.
    package var length: Int
    package var origin: IngestionOrigin
    package var receivedAt: Int64
    /// Set when a bulk data part of the same request belonged to nothing.
    package var hasUnreferencedBulkData = false
}

/// Second stage: the instance has a transfer syntax that is accepted, and valid UIDs.
package struct IdentifiedInstance: Sendable {
    package let file: DICOMFile
    package let blob: StagedBlob
    package let identity: InstanceIdentity
    package let origin: IngestionOrigin
    package let receivedAt: Int64
    let hasUnreferencedBulkData: Bool
}

/// Third stage: every check is passed, nothing is stored yet.
package struct CheckedInstance: Sendable {
    package let file: DICOMFile
    package let blob: StagedBlob
    package let identity: InstanceIdentity
    package let origin: IngestionOrigin
    package let receivedAt: Int64
    /// What the sender is told if the instance gets stored.
    package let warning: IngestionWarning?
}
