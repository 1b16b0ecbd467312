/// Why the archive's own tables could not be read or written. None of these is an answer about a resource.
package enum ArchiveError: Error, Hashable, Sendable {
    /// A row that was there a moment ago, in the same transaction, is not.
    case rowVanished
    /// A row holds what this archive never writes.
    case unreadableRow
    /// A series has had all the instances that it has room for.
    case seriesIsFull
}
