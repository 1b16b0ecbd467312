/// What the site decides about presigned uploads.
package struct UploadConfiguration: Hashable, Sendable {
    /// How long a URL lives that was not asked to live for less, in milliseconds; and the most that can be asked for.
    package var lifetime: Int64 = 15 * 60_000
    package var longestLifetime: Int64 = 12 * 3_600_000
    /// How long an upload in parts may take, in milliseconds.
    package var multipartLifetime: Int64 = 24 * 3_600_000
    /// The most URLs that one client may have out.
    package var outstanding = 5000
    /// How long what was rejected is kept, in milliseconds.
    package var quarantine: Int64 = 7 * 24 * 3_600_000
    /// How long it is known what became of an upload, in milliseconds.
    package var history: Int64 = 30 * 24 * 3_600_000
    /// How long objects that belong to no upload are left, in milliseconds.
    package var unclaimed: Int64 = 2 * 24 * 3_600_000
    /// Time between two looks at what has landed.
    package var sweepInterval: Duration = .seconds(60)
    /// How many uploads are ingested at a time; small ones count together as one.
    package var workers = 4
    /// How long a process that says nothing more is believed to be busy with an upload, in milliseconds.
    package var lease: Int64 = 60_000
    package var archives = ArchiveLimits()

    package init() {}
}

/// What an archive may be; each is a guard against one kind of bomb.
package struct ArchiveLimits: Hashable, Sendable {
    /// Files and folders.
    package var entries = 100_000
    /// Bytes of all files together, expanded.
    package var expandedBytes = 256 << 30
    /// How many times as long as the archive its files may be together, once they are longer than `ratioFreeBytes`: segmentations compress very
    /// well indeed.
    package var ratio = 200
    package var ratioFreeBytes = 64 << 20
    /// Bytes of the JSON file with metadata.
    package var sidecarBytes = 1 << 20
    /// Bytes of a file's name.
    package var nameBytes = 1024

    package init() {}
}
