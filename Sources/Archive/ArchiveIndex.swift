package import SQLStorage

/// Writes instances into the archive's tables, inside the transaction of the caller, who writes its own rows (outbox,
/// audit) into the same one.
package struct ArchiveIndex: Sendable {
    package let duplicates: DuplicatePolicy

    package init(duplicates: DuplicatePolicy = .standard) {
        self.duplicates = duplicates
    }

    /// Decides about one instance, and writes its rows and its change.
    package func store(
        _ entry: IndexEntry, comparison: DataSetComparison? = nil, now: Int64, in transaction: any SQLTransaction
    ) throws -> StoreDecision {
        var session = StoreSession(policy: duplicates, now: now, in: transaction)
        let decision = try session.store(entry, comparison: comparison)
        try session.finish()
        return decision
    }

    /// Decides about instances one after the other; the rows of their studies and series are read and written once.
    /// `comparisons` has what was compared, by index of the entry.
    package func store(
        _ entries: [IndexEntry], comparisons: [Int: DataSetComparison] = [:], now: Int64,
        in transaction: any SQLTransaction
    ) throws -> [StoreDecision] {
        var session = StoreSession(policy: duplicates, now: now, in: transaction)
        var decisions: [StoreDecision] = []
        decisions.reserveCapacity(entries.count)
        for (index, entry) in entries.enumerated() {
            decisions.append(try session.store(entry, comparison: comparisons[index]))
        }
        try session.finish()
        return decisions
    }
}
