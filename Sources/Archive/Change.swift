package import DICOMCore

/// One entry of the change feed. Entries are numbered without gaps in the order of their commits.
package struct Change: Hashable, Sendable {
    package enum Kind: Int64, Hashable, Sendable {
        case created = 1, updated, deleted
    }

    package let sequence: Int64
    package let kind: Kind
    /// When, in milliseconds since 1970.
    package let time: Int64
    package let study: UID
    /// `nil` when the change is about the whole study.
    package let series: UID?
    /// `nil` when the change is about the whole series or study.
    package let instance: UID?

    /// What the change is about.
    package var level: QueryLevel { instance != nil ? .instance : series != nil ? .series : .study }
}

/// A stretch of the change feed.
package struct ChangePage: Hashable, Sendable {
    package let changes: [Change]
    /// The number of the last change there is; equal to that of the page's last one when the reader has caught up.
    package let latest: Int64
}
