import Archive
import BlobStorage
import DICOMCore

/// What searches and retrievals work on: an index, here or in another process, and the files.
struct ReadableArchive: Sendable {
    let index: any ArchiveReading
    let blobs: any BlobStore

    init(index: any ArchiveReading, blobs: any BlobStore) {
        self.index = index
        self.blobs = blobs
    }

    init(_ archive: Archive) { self.init(index: archive, blobs: archive.blobs) }

    func instances(
        study: UID, series: UID? = nil, instance: UID? = nil
    ) async throws -> Lookup<StoredInstances> {
        try await index.instances(study: study, series: series, instance: instance)
    }

    func documents(
        study: UID, series: UID? = nil, instance: UID? = nil
    ) async throws -> Lookup<MetadataDocuments> {
        try await index.documents(study: study, series: series, instance: instance)
    }

    func version(
        study: UID, series: UID? = nil, instance: UID? = nil
    ) async throws -> Lookup<ResourceVersion> {
        try await index.version(study: study, series: series, instance: instance)
    }
}
