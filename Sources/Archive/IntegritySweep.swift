package import BlobStorage
package import Logging
package import SQLStorage
import ServiceLifecycle

/// Deletes blobs that no row names: what a crash left between the blob and its row, or between a row's deletion and
/// its blob's (reliability D.2 1).
///
/// Only blobs older than a grace period are looked at, so that one on its way to its row is never taken.
package struct IntegritySweep: Service {
    /// How the sweep goes about it.
    package struct Configuration: Hashable, Sendable {
        /// Younger blobs are left alone, in milliseconds: two days.
        package var grace: Int64
        /// Time between two sweeps.
        package var interval: Duration
        /// Blobs looked at in one go.
        package var pageSize: Int

        package init(
            grace: Int64 = 2 * 24 * 3_600_000, interval: Duration = .seconds(6 * 3600), pageSize: Int = 1000
        ) {
            self.grace = grace
            self.interval = interval
            self.pageSize = pageSize
        }
    }

    /// What one sweep found.
    package struct Report: Hashable, Sendable {
        /// Blobs that were old enough to look at.
        package var examined = 0
        /// Blobs that were deleted.
        package var orphans = 0
    }

    private let database: any SQLDatabase
    private let blobs: any BlobStore
    private let columns: [BlobColumn]
    private let configuration: Configuration
    private let logger: Logger
    private let clock: @Sendable () -> Int64

    /// - Parameter others: What names blobs besides the archive's instances.
    package init(
        database: any SQLDatabase, blobs: any BlobStore, others: [BlobColumn] = [],
        configuration: Configuration = Configuration(),
        logger: Logger, clock: @escaping @Sendable () -> Int64
    ) {
        self.database = database
        self.blobs = blobs
        columns = [.instances] + others
        self.configuration = configuration
        self.logger = logger
        self.clock = clock
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    let report = try await sweep(now: clock())
                    logger.debug(
                        "Swept blobs",
                        metadata: ["examined": "\(report.examined)", "orphans": "\(report.orphans)"])
                } catch is CancellationError {
                    return
                } catch {
                    // Nothing is lost by an orphan that stays until the next sweep.
                    logger.warning("Sweep of blobs failed", metadata: ["error": "\(type(of: error))"])
                }
                do { try await Task.sleep(for: configuration.interval) } catch { return }
            }
        }
    }

    /// Goes through all blobs once.
    package func sweep(now: Int64) async throws -> Report {
        var report = Report()
        var cursor: BlobCursor?
        repeat {
            try Task.checkCancellation()
            let page = try await blobs.storedBlobs(
                olderThan: now - configuration.grace, after: cursor, limit: configuration.pageSize)
            cursor = page.next
            guard !page.blobs.isEmpty else { continue }
            let named = try await Self.named(page.blobs, by: columns, in: database)
            let orphans = page.blobs.filter { !named.contains($0) }
            report.examined += page.blobs.count
            report.orphans += orphans.count
            if !orphans.isEmpty { try await blobs.delete(orphans) }
        } while cursor != nil
        try await blobs.removeUnfinished(olderThan: now - configuration.grace)
        return report
    }

    /// Those of the blobs that a row names.
    static func named(
        _ locations: [BlobLocation], by columns: [BlobColumn], in database: any SQLDatabase
    ) async throws -> Set<BlobLocation> {
        try await database.read { transaction in
            var named: Set<BlobLocation> = []
            for location in locations {
                let isNamed = try columns.contains { column in
                    try transaction.exists(
                        """
                        SELECT 1 FROM \(raw: column.table) WHERE \(raw: column.location) = \(location.rawValue)
                        """)
                }
                if isNamed { named.insert(location) }
            }
            return named
        }
    }
}

extension Archive {
    /// Whether a row names the blob.
    package func names(_ location: BlobLocation) async throws -> Bool {
        try await !IntegritySweep.named([location], by: blobColumns, in: database).isEmpty
    }

    /// Changes rows to where blobs were moved to. A row that names another blob by now is left alone.
    package func relocate(_ moves: [(from: BlobLocation, to: BlobLocation)]) async throws {
        let moves = moves.map { (from: $0.from.rawValue, to: $0.to.rawValue) }
        let columns = blobColumns
        try await database.write { transaction in
            for move in moves {
                for column in columns {
                    try transaction.enqueue(
                        """
                        UPDATE \(raw: column.table) SET \(raw: column.location) = \(move.to)
                        WHERE \(raw: column.location) = \(move.from)
                        """)
                }
            }
        }
    }
}
