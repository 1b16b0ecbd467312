import BlobStorage
import Ingestion
import Logging
import Metrics
import Observability
import ServiceLifecycle

/// Looks at the medium every few seconds, counts and logs what it sees.
struct StorageWatch: Service {
    private let room: StorageRoom
    private let logger: Logger
    private let available: Gauge
    private let usedShare: Gauge
    private let isRefusing: Gauge

    private static let interval = Duration.seconds(3)

    init(_ room: StorageRoom, metrics: any MetricsFactory, logger: Logger) {
        self.room = room
        self.logger = logger
        available = Gauge(label: "gantry_disk_available_bytes", factory: metrics)
        usedShare = Gauge(label: "gantry_disk_used_ratio", factory: metrics)
        isRefusing = Gauge(label: "gantry_disk_refusing", factory: metrics)
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var wasFull = false
            while !Task.isCancelled {
                wasFull = await look(wasFull: wasFull)
                do { try await Task.sleep(for: Self.interval) } catch { return }
            }
        }
    }

    /// Looks once; whether instances are refused.
    func look(wasFull: Bool) async -> Bool {
        guard let space = await room.refresh() else { return wasFull }
        let isFull = room.isFull
        available.record(space.available)
        usedShare.record(space.usedShare)
        isRefusing.record(isFull ? 1 : 0)
        let metadata = Logger.Metadata.keys([.free: .stringConvertible(space.available)])
        if isFull, !wasFull {
            logger.error(
                "The disk is too full: instances are refused; free space, or see disk.* in docs/configuration.md",
                metadata: metadata)
        } else if wasFull, !isFull {
            logger.notice("There is room on the disk again", metadata: metadata)
        }
        return isFull
    }
}

extension StorageRoom {
    /// What readiness says of the medium.
    func health(_ space: BlobSpace) -> HealthState {
        if isFull { return .degraded(reason: "The disk is too full: new instances are refused.") }
        return isAtMark(space) ? .degraded(reason: "The disk is filled to disk.highWatermark.") : .healthy
    }
}
