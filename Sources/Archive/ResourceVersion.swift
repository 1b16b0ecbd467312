import SQLStorage

/// Which state of a study, series or instance this is.
package struct ResourceVersion: Hashable, Codable, Sendable {
    /// The number of the change that led to it: grows with every change and never repeats.
    package let number: Int64
    /// When that was, in milliseconds since 1970; `nil` where the feed of changes does not reach back so far.
    package let modifiedAt: Int64?

    package init(number: Int64, modifiedAt: Int64?) {
        self.number = number
        self.modifiedAt = modifiedAt
    }

    /// Looks up when the change was.
    init(_ number: Int64, in transaction: any SQLTransaction) throws {
        self.number = number
        modifiedAt = try transaction.first("SELECT changed_at FROM changes WHERE sequence = \(number)") { $0.int(0) }
    }
}

extension ResourceVersion: Comparable {
    package static func < (left: ResourceVersion, right: ResourceVersion) -> Bool { left.number < right.number }
}
