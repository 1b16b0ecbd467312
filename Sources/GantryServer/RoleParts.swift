package import Archive
package import Audit
package import BlobStorage
package import Ingestion
package import SQLStorage

/// What a process has that does not do everything: the parts of its role.
package enum RoleParts: Sendable {
    /// Takes instances: a bucket, and the way to who writes the index. `check` throws when that does not answer.
    case stow(blobs: any BlobStore, stage: any CommitStage, check: @Sendable () async throws -> Void)
    /// Searches and retrievals: a bucket, and the way to who reads the index. `check` throws when that does not answer;
    /// `audit` takes records of what was read.
    case wado(
        blobs: any BlobStore, index: any ArchiveReading, check: @Sendable () async throws -> Void,
        audit: @Sendable ([AuditEvent]) async throws -> Void)
    /// The index for the other two. With a bucket it looks for objects that no row names.
    case core(database: any SQLDatabase, blobs: (any BlobStore)?)
}
