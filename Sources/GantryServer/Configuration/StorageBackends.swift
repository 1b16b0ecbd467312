package import BlobStorage
package import SQLStorage

/// The storage that the server works on. Only the command knows which drivers these are.
package struct StorageBackends: Sendable {
    package let database: any SQLDatabase
    package let blobs: any BlobStore
    /// Where presigned uploads land.
    package let landing: any UploadLanding

    package init(database: any SQLDatabase, blobs: any BlobStore, landing: any UploadLanding) {
        self.database = database
        self.blobs = blobs
        self.landing = landing
    }
}
