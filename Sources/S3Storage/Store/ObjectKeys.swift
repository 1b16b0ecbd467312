import BlobStorage

/// How blobs are called in the bucket: `<prefix>objects/<first two digits of the key>/<key>`.
struct ObjectKeys: Sendable {
    /// What all of them begin with.
    let prefix: String

    init(prefix: String) {
        self.prefix = prefix + "objects/"
    }

    func key(_ blob: BlobKey) -> String {
        let digits = blob.description
        return prefix + digits.prefix(2) + "/" + digits
    }

    /// The blob that is kept under a key; `nil` for anything that is not ours.
    func blob(_ key: String) -> BlobKey? {
        guard key.hasPrefix(prefix) else { return nil }
        let parts = key.dropFirst(prefix.count).split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[1].hasPrefix(parts[0]), parts[0].count == 2 else { return nil }
        return BlobKey(parts[1])
    }
}
