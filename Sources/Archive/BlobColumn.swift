/// A table whose rows name blobs, so that the sweep takes none of them for an orphan.
package struct BlobColumn: Sendable {
    package let table: StaticString
    /// The column with the blob's location.
    package let location: StaticString
    /// The column with the SHA-256 of the blob's bytes.
    package let digest: StaticString

    package init(table: StaticString, location: StaticString, digest: StaticString) {
        self.table = table
        self.location = location
        self.digest = digest
    }

    /// The instances that the archive holds.
    package static let instances = BlobColumn(table: "instances", location: "location", digest: "digest")
}
