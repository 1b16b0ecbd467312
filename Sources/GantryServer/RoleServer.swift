import Access
import Archive
import Audit
import BlobStorage
import DICOMCore
import Hummingbird
import HummingbirdCore
import Ingestion
package import Logging
import NIOCore
package import Observability
package import PixelWorkers
import SQLStorage
import ServiceLifecycle
package import UnixSignals
import Workflows

/// A process of one role put together: as ``Gantry``, with what the role offers.
package struct RoleServer: Sendable {
    private let configuration: GantryConfiguration
    private let parts: RoleParts
    private let pixels: PixelWorkers
    private let registry: MetricRegistry
    private let logger: Logger
    private let onRunning: @Sendable (Int) async -> Void
    private let onStopped: @Sendable () async throws -> Void

    /// - Parameters:
    ///   - onRunning: told the port once requests are taken.
    ///   - onStopped: closes what the parts use.
    package init(
        configuration: GantryConfiguration, parts: RoleParts, pixels: PixelWorkers, registry: MetricRegistry,
        logger: Logger, onRunning: @escaping @Sendable (Int) async -> Void = { _ in },
        onStopped: @escaping @Sendable () async throws -> Void = {}
    ) {
        self.configuration = configuration
        self.parts = parts
        self.pixels = pixels
        self.registry = registry
        self.logger = logger
        self.onRunning = onRunning
        self.onStopped = onStopped
    }

    private typealias ServiceConfiguration = ServiceGroupConfiguration.ServiceConfiguration

    /// Serves until it is told to stop. The core brings the schema up to date before.
    package func run(stoppedBy signals: [UnixSignal] = [.sigterm, .sigint]) async throws {
        guard configuration.access.insecure || IPAddressKind.isLoopback(configuration.server.host) else {
            throw StartRefusal(
                "others could reach \(configuration.server.host), and in the role \(configuration.role.rawValue) nobody is asked "
                    + "who they are; listen on 127.0.0.1, or say --insecure where something in front checks who asks")
        }
        let tls = configuration.tls.isOn ? try TLSFiles(configuration.tls) : nil
        var (routes, services) = try await assemble()
        if let tls { services.append(ServiceConfiguration(service: TLSWatch(files: tls, logger: logger))) }
        let proxies = AddressRanges(configuration.server.trustedProxies)
        let server = Application(
            responder: GantryResponder(
                routes: routes, cors: CORSPolicy(origins: configuration.cors.origins), limits: configuration.limits,
                metrics: RequestMetrics(factory: registry),
                authentication: Authentication(
                    verifier: nil, trail: AccessTrail(clock: Gantry.systemClock), publicAddress: routes.publicAddress),
                proxies: proxies),
            server: HTTPServerBuilder { [configuration] responder in
                HTTPConnection(
                    limits: configuration.connectionLimits, headerFields: configuration.limits.headerFields, tls: tls,
                    responder: responder)
            },
            configuration: ApplicationConfiguration(
                address: .hostname(configuration.server.host, port: configuration.server.port), backlog: 1024),
            onServerRunning: { [onRunning] channel in await onRunning(channel.localAddress?.port ?? 0) },
            logger: logger)
        var group = ServiceGroupConfiguration(
            services: services + [ServiceConfiguration(service: server)],
            gracefulShutdownSignals: signals, logger: logger)
        group.maximumGracefulShutdownDuration = configuration.server.gracefulStop
        do {
            try await ServiceGroup(configuration: group).run()
        } catch {
            try? await close()
            throw error
        }
        try await close()
    }

    private func close() async throws {
        await pixels.close()
        switch parts {
        case .stow(let blobs, _, _), .wado(let blobs, _, _, _): try await blobs.close()
        case .core(let database, let blobs):
            try await blobs?.close()
            try await database.close()
        }
        try await onStopped()
    }

    private func assemble() async throws -> (Routes, [ServiceConfiguration]) {
        let proxies = AddressRanges(configuration.server.trustedProxies)
        let publicAddress = PublicAddress(configured: configuration.server.publicURL) { proxies.contains($0) }
        func operations(_ checks: [HealthCheck], changes: ChangeFeed? = nil) -> OperationsRoutes {
            OperationsRoutes(checks: checks, registry: registry, changes: changes, hasPage: false)
        }
        switch parts {
        case .stow(let blobs, let stage, let check):
            let room = StorageRoom(configuration.watermarks) { try await blobs.space() }
            let pipeline = IngestionPipeline(
                stage: stage, blobs: blobs, configuration: configuration.ingestion, room: room,
                clock: Gantry.systemClock)
            let watch = StorageWatch(room, metrics: registry, logger: logger)
            _ = await watch.look(wasFull: false)
            let routes = Routes(
                store: StoreRoutes(
                    pipeline: pipeline, limits: configuration.limits, isAcceptStrict: configuration.strict.accept,
                    retrieveBase: configuration.wado.externalEndpoint),
                operations: operations([.objects(blobs, room), .core(check)]), publicAddress: publicAddress)
            return (routes, [ServiceConfiguration(service: pipeline), ServiceConfiguration(service: watch)])
        case .wado(let blobs, let index, let check, let audit):
            let reads = configuration.audit.includesReads ? ReadQueue() : nil
            let trail = ReadTrail(queue: reads, clock: Gantry.systemClock)
            let archive = ReadableArchive(index: index, blobs: blobs)
            let routes = Routes(
                search: SearchRoutes(
                    archive: archive, trail: trail, maximum: configuration.search.maximumResults,
                    timezone: configuration.search.timezone, isAcceptStrict: configuration.strict.accept,
                    isQueryStrict: configuration.strict.query),
                retrieve: RetrieveRoutes(
                    archive: archive, pixels: pixels, trail: trail, configuration: configuration),
                operations: operations([.objects(blobs), .core(check)]), publicAddress: publicAddress)
            return (
                routes,
                reads.map { reads in
                    [
                        ServiceConfiguration(
                            service: TrailWriter(
                                reads, metrics: registry, logger: logger, clock: Gantry.systemClock, append: audit))
                    ]
                } ?? []
            )
        case .core(let database, let blobs):
            try await Migrator(Gantry.migrations).migrate(database, now: Gantry.systemClock())
            return core(database, blobs, operations: operations, publicAddress)
        }
    }

    private func core(
        _ database: any SQLDatabase, _ blobs: (any BlobStore)?,
        operations: ([HealthCheck], ChangeFeed?) -> OperationsRoutes, _ publicAddress: PublicAddress
    ) -> (Routes, [ServiceConfiguration]) {
        let archive = Archive(database: database, blobs: blobs ?? AbsentBlobStore(), others: Gantry.otherBlobs)
        let intake = CommitIntake(
            database: database, index: ArchiveIndex(duplicates: configuration.duplicatePolicy),
            steps: [OrderMatching(rules: configuration.orderRules, eventSource: configuration.ingestion.eventSource)],
            configuration: configuration.ingestion)
        let budget = ByteBudget(limit: configuration.limits.concurrentBytes)
        let own = configuration.server
        let external = configuration.wado.externalEndpoint ?? own.publicURL.map { $0 + "/wado-rs" }
        let wadoEndpoint = external ?? "http://\(own.host):\(own.port)/wado-rs"
        let core = CoreRoutes(
            events: EventRoutes(
                intake: intake, budget: budget, provider: configuration.provider,
                source: configuration.core.eventSource ?? "core.imaging-ingestion.svc.cluster.local",
                wadoEndpoint: configuration.wado.internalEndpoint ?? wadoEndpoint, clock: Gantry.systemClock),
            queries: QueryRoutes(
                archive: archive, budget: budget, provider: configuration.provider, wadoEndpoint: wadoEndpoint,
                maximum: configuration.search.maximumResults, timezone: configuration.search.timezone
            ) { events in
                try await database.write { transaction in try AuditLog().append(events, in: transaction) }
            })
        let checks = [HealthCheck.index(database)] + (blobs.map { [.objects($0)] } ?? [])
        let routes = Routes(
            core: core, operations: operations(checks, ChangeFeed(archive: archive)), publicAddress: publicAddress)
        var services = [
            ServiceConfiguration(service: intake),
            ServiceConfiguration(
                service: OrderTimers(
                    database: database, rules: configuration.orderRules,
                    eventSource: configuration.ingestion.eventSource, logger: logger, clock: Gantry.systemClock)),
        ]
        if let blobs {
            services.append(
                ServiceConfiguration(
                    service: IntegritySweep(
                        database: database, blobs: blobs, others: Gantry.otherBlobs, logger: logger,
                        clock: Gantry.systemClock)))
        }
        return (routes, services)
    }
}

extension HealthCheck {
    static func index(_ database: any SQLDatabase) -> HealthCheck {
        HealthCheck("index") {
            do {
                _ = try await database.read { try $0.firstInt("SELECT 1") }
                return .healthy
            } catch {
                return .unhealthy(reason: "The index does not answer.")
            }
        }
    }

    static func objects(_ blobs: any BlobStore, _ room: StorageRoom? = nil) -> HealthCheck {
        HealthCheck("objects") {
            do {
                let space = try await blobs.space()
                return room?.health(space) ?? .healthy
            } catch {
                return .unhealthy(reason: "The object store does not answer.")
            }
        }
    }

    /// The process that has the index.
    static func core(_ ask: @escaping @Sendable () async throws -> Void) -> HealthCheck {
        HealthCheck("core") {
            do {
                try await ask()
                return .healthy
            } catch {
                return .unhealthy(reason: "The process that has the index does not answer.")
            }
        }
    }
}
