package import Archive
import Audit
import BlobStorage
import DICOMCore
import Glibc
import Hummingbird
import HummingbirdCore
import Ingestion
package import Logging
import Messaging
import NIOCore
package import Observability
package import PixelWorkers
package import SQLStorage
import ServiceLifecycle
import UnixSignals
import Workflows

/// The whole server put together: configuration and storage in, one service group out. There is no other composition
/// root.
package struct Gantry: Sendable {
    private let configuration: GantryConfiguration
    private let backends: StorageBackends
    private let pixels: PixelWorkers
    private let registry: MetricRegistry
    private let logger: Logger
    private let onRunning: @Sendable (Int) async -> Void

    /// - Parameters:
    ///   - onRunning: told the port once requests are taken.
    package init(
        configuration: GantryConfiguration, backends: StorageBackends, pixels: PixelWorkers, registry: MetricRegistry,
        logger: Logger,
        onRunning: @escaping @Sendable (Int) async -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.backends = backends
        self.pixels = pixels
        self.registry = registry
        self.logger = logger
        self.onRunning = onRunning
    }

    /// Every migration of the schema, in the order in which they are applied.
    package static let migrations =
        ArchiveSchema.migrations + MessagingSchema.migrations + AuditSchema.migrations
        + OrderSchema.migrations

    /// What names blobs besides the archive's instances.
    package static let otherBlobs = [Orders.reportBlobs]

    /// Milliseconds since 1970.
    package static let systemClock: @Sendable () -> Int64 = {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
    }

    /// Brings the schema up to date, then serves until it is told to stop.
    package func run() async throws {
        try await Migrator(Self.migrations).migrate(backends.database, now: Self.systemClock())
        let archive = Archive(database: backends.database, blobs: backends.blobs, others: Self.otherBlobs)
        let room = StorageRoom(configuration.watermarks) { [blobs = backends.blobs] in try await blobs.space() }
        let pipeline = IngestionPipeline(
            database: backends.database, blobs: backends.blobs,
            index: ArchiveIndex(duplicates: configuration.duplicatePolicy),
            steps: ingestionSteps, configuration: configuration.ingestion, room: room, clock: Self.systemClock)
        let watch = StorageWatch(room, metrics: registry, logger: logger)
        _ = await watch.look(wasFull: false)
        let reads = configuration.audit.includesReads ? ReadQueue() : nil
        let trail = ReadTrail(queue: reads, clock: Self.systemClock)
        let server = Application(
            responder: responder(archive, pipeline, trail),
            server: HTTPServerBuilder { [configuration] responder in
                HTTPConnection(
                    limits: configuration.connectionLimits, headerFields: configuration.limits.headerFields,
                    responder: responder)
            },
            configuration: ApplicationConfiguration(
                address: .hostname(configuration.server.host, port: configuration.server.port), backlog: 1024),
            onServerRunning: { [onRunning] channel in await onRunning(channel.localAddress?.port ?? 0) },
            logger: logger)
        // Stopped in the reverse order: first no more requests, then what they still wait for.
        var services: [ServiceGroupConfiguration.ServiceConfiguration] = [
            .init(service: pipeline),
            .init(service: watch),
            .init(
                service: IntegritySweep(
                    database: backends.database, blobs: backends.blobs, others: Self.otherBlobs, logger: logger,
                    clock: Self.systemClock)),
            .init(
                service: OrderTimers(
                    database: backends.database, rules: configuration.orderRules,
                    eventSource: configuration.ingestion.eventSource, logger: logger, clock: Self.systemClock)),
        ]
        if let reads {
            services.append(
                .init(
                    service: ReadTrailWriter(
                        reads, database: backends.database, metrics: registry, logger: logger,
                        clock: Self.systemClock)))
        }
        services.append(.init(service: server))
        var group = ServiceGroupConfiguration(
            services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        group.maximumGracefulShutdownDuration = configuration.server.gracefulStop
        try await ServiceGroup(configuration: group).run()
        await pixels.close()
        try await backends.blobs.close()
        try await backends.database.close()
    }

    /// Everything that answers requests.
    func responder(
        _ archive: Archive, _ pipeline: IngestionPipeline, _ trail: ReadTrail = .off
    ) -> GantryResponder {
        let proxies = TrustedNetworks(configuration.server.trustedProxies)
        let publicAddress = PublicAddress(configured: configuration.server.publicURL) { proxies.contains($0) }
        let routes = Routes(
            store: StoreRoutes(
                pipeline: pipeline, limits: configuration.limits, isAcceptStrict: configuration.strict.accept),
            search: SearchRoutes(
                archive: archive, trail: trail, maximum: configuration.search.maximumResults,
                timezone: configuration.search.timezone,
                isAcceptStrict: configuration.strict.accept, isQueryStrict: configuration.strict.query),
            retrieve: RetrieveRoutes(archive: archive, pixels: pixels, trail: trail, configuration: configuration),
            delete: DeleteRoutes(
                archive: archive, eventSource: configuration.ingestion.eventSource, clock: Self.systemClock),
            orders: orderRoutes(pipeline.room),
            operations: OperationsRoutes(
                archive: archive, checks: healthChecks(pipeline.room), registry: registry,
                changes: ChangeFeed(archive: archive)),
            publicAddress: publicAddress, isDeletingOffered: configuration.delete.isOffered)
        return GantryResponder(
            routes: routes, cors: CORSPolicy(origins: configuration.cors.origins), limits: configuration.limits,
            metrics: RequestMetrics(factory: registry))
    }

    /// What each commit of instances does besides storing them.
    var ingestionSteps: [any IngestionStep] {
        [OrderMatching(rules: configuration.orderRules, eventSource: configuration.ingestion.eventSource)]
    }

    private func orderRoutes(_ room: StorageRoom) -> OrderRoutes {
        let orders = Orders(
            database: backends.database, blobs: backends.blobs, rules: configuration.orderRules,
            eventSource: configuration.ingestion.eventSource, clock: Self.systemClock)
        return OrderRoutes(
            orders: orders,
            reports: ReportRoutes(
                orders: orders, blobs: backends.blobs, room: room, limit: configuration.orders.reportBytes),
            signer: { [database = backends.database] in
                ReceiptSigner(try await SigningKeyTable.key(.orderReceipt, in: database, now: Self.systemClock()))
            }, clock: Self.systemClock)
    }

    private func healthChecks(_ room: StorageRoom) -> [HealthCheck] {
        let (database, blobs) = (backends.database, backends.blobs)
        return [
            HealthCheck("index") {
                do {
                    _ = try await database.read { try $0.firstInt("SELECT 1") }
                    return .healthy
                } catch {
                    return .unhealthy(reason: "The index does not answer.")
                }
            },
            HealthCheck("objects") {
                do {
                    return room.health(try await blobs.space())
                } catch {
                    return .unhealthy(reason: "The object store does not answer.")
                }
            },
        ]
    }
}

extension GantryConfiguration {
    var duplicatePolicy: DuplicatePolicy {
        switch store.onConflict {
        case .window: .window(milliseconds: Int64(store.conflictWindow.milliseconds))
        case .replace: .replace
        case .keepFirst: .keepFirst
        }
    }

    var watermarks: StorageWatermarks {
        StorageWatermarks(
            high: Double(disk.highWatermark) / 100, low: Double(disk.lowWatermark) / 100, ample: Int64(disk.ample),
            reserve: Int64(disk.reserve))
    }

    var orderRules: OrderRules {
        var rules = OrderRules()
        rules.quietPeriod = Int64(orders.quietPeriod.milliseconds)
        rules.requiredMetadata = orders.requiredMetadata.compactMap { DataDictionary.standard.tag(forKeyword: $0) }
        rules.metadataDeadline = Int64(orders.metadataDeadline.milliseconds)
        rules.overwriteWindow = Int64(orders.overwriteWindow.milliseconds)
        rules.expiryNotice = Int64(orders.expiryNotice.milliseconds)
        rules.abandonAfter = Int64(orders.abandonAfter.milliseconds)
        rules.makesOrders = orders.isAutomatic
        return rules
    }

    var ingestion: IngestionConfiguration {
        var ingestion = IngestionConfiguration()
        ingestion.studyMismatch = store.studyMismatch == .warn ? .warn : .reject
        ingestion.preamble = store.preamble == .keep ? .keep : .zero
        ingestion.acceptsTruncatedPixelData = store.acceptsTruncatedPixelData
        ingestion.deniedSOPClasses = Set(store.deniedSOPClasses)
        ingestion.maximumInstanceBytes = limits.bytesPerPart
        ingestion.byteBudget = limits.concurrentBytes
        return ingestion
    }

    var connectionLimits: ConnectionLimits {
        var result = ConnectionLimits()
        result.headerDeadline = .init(limits.headerTimeout)
        result.minimumBodyRate = limits.bodyMinimumRate
        result.bodyWindow = .init(limits.bodyMinimumWindow)
        result.headerBytes = limits.headerBytes
        result.idleTimeout = .init(limits.idleTimeout)
        result.responseTimeout = .init(limits.responseTimeout)
        return result
    }
}
