public import SQLStorage

/// The archive's tables.
///
/// The number of an instance is that of its series, shifted left by 24 bits, plus an ordinal: so the rows of one
/// series lie together in `instances` and in `instance_documents`, and a series is one range of keys without an index.
/// Ordinal 0 of `instance_documents` is the series' template. Absent text is the empty text, never NULL, so that
/// both databases order it alike.
package enum ArchiveSchema {
    /// Bits of an instance's number that count within its series.
    static let ordinalBits: Int64 = 24
    /// The highest ordinal, and so the number of instances that one series ever holds.
    static let maximumOrdinal: Int64 = (1 << ordinalBits) - 1
}
