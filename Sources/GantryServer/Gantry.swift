package import Access
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
    private let fetch: KeySetFetch
    private let onRunning: @Sendable (Running) async -> Void

    /// Gets the key set of a trusted issuer from its address.
    package typealias KeySetFetch = @Sendable (String) async throws -> KeySetDocument

    /// What is known once requests are taken.
    package struct Running: Sendable {
        package var port: Int
        /// Whether there are no credentials, so that nobody is asked for one.
        package var isOpenToAll: Bool
    }

    /// - Parameters:
    ///   - fetch: used when the configuration trusts issuers.
    ///   - onRunning: called once requests are taken.
    package init(
        configuration: GantryConfiguration, backends: StorageBackends, pixels: PixelWorkers, registry: MetricRegistry,
        logger: Logger,
        fetch: @escaping KeySetFetch = { _ in throw AccessError(.unavailable, "key sets are not fetched") },
        onRunning: @escaping @Sendable (Running) async -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.backends = backends
        self.pixels = pixels
        self.registry = registry
        self.logger = logger
        self.fetch = fetch
        self.onRunning = onRunning
    }

    /// Every migration of the schema, in the order in which they are applied.
    package static let migrations =
        ArchiveSchema.migrations + MessagingSchema.migrations + AuditSchema.migrations + AccessSchema.migrations
        + UploadSchema.migrations + OrderSchema.migrations

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
        let verifier = makeVerifier()
        let isOpenToAll = try await refuseStrangersWithoutCredentials(verifier)
        let tls = configuration.tls.isOn ? try TLSFiles(configuration.tls) : nil
        if tls == nil, !isOpenToAll, !IPAddressKind.isLoopback(configuration.server.host) {
            logger.notice("credentials come over plain HTTP; see that something in front of the server has TLS")
        }
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
        let access = AccessTrail(clock: Self.systemClock)
        let uploads = uploads(pipeline, access)
        let server = Application(
            responder: responder(archive, pipeline, uploads, trail, verifier, access),
            server: HTTPServerBuilder { [configuration] responder in
                HTTPConnection(
                    limits: configuration.connectionLimits, headerFields: configuration.limits.headerFields, tls: tls,
                    responder: responder)
            },
            configuration: ApplicationConfiguration(
                address: .hostname(configuration.server.host, port: configuration.server.port), backlog: 1024),
            onServerRunning: { [onRunning] channel in
                await onRunning(Running(port: channel.localAddress?.port ?? 0, isOpenToAll: isOpenToAll))
            },
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
        services.append(
            .init(
                service: TrailWriter(
                    reads, access, database: backends.database, metrics: registry, logger: logger,
                    clock: Self.systemClock)))
        if let tls { services.append(.init(service: TLSWatch(files: tls, logger: logger))) }
        services += uploads.services.map { .init(service: $0) }
        services.append(.init(service: server))
        var group = ServiceGroupConfiguration(
            services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        group.maximumGracefulShutdownDuration = configuration.server.gracefulStop
        try await ServiceGroup(configuration: group).run()
        await pixels.close()
        try await uploads.close()
        try await backends.landing.close()
        try await backends.blobs.close()
        try await backends.database.close()
    }

    /// Presigned uploads.
    func uploads(
        _ pipeline: IngestionPipeline, _ trail: AccessTrail,
        clock: @escaping @Sendable () -> Int64 = Self.systemClock
    ) -> UploadDoor {
        UploadDoor(
            database: backends.database, landing: backends.landing, pipeline: pipeline, orders: orders.forUploads,
            configuration: configuration, trail: trail, metrics: registry, logger: logger, clock: clock)
    }

    /// Who checks credentials.
    func makeVerifier(
        hashing: SecretHashing = SecretHashing(), clock: @escaping @Sendable () -> Int64 = systemClock
    ) -> CredentialVerifier {
        CredentialVerifier(
            rules: AccessRules(
                issuer: configuration.tokenIssuer, audience: configuration.access.audience,
                trustedIssuers: configuration.access.trustedIssuers),
            database: backends.database, hashing: hashing, clock: clock, fetch: fetch)
    }

    /// Whether anybody may use the server; an error when that would be anybody at all.
    private func refuseStrangersWithoutCredentials(_ verifier: CredentialVerifier) async throws -> Bool {
        if try await verifier.isRequired() { return false }
        guard configuration.access.insecure || IPAddressKind.isLoopback(configuration.server.host) else {
            throw StartRefusal(
                "others could reach \(configuration.server.host), and nobody has to say who they are; make a client with "
                    + "'gantry clients create' or a key with 'gantry keys create', listen on 127.0.0.1, or say --insecure"
            )
        }
        return true
    }

    /// Everything that answers requests.
    /// - Parameter verifier: `nil` to ask nobody who they are.
    func responder(
        _ archive: Archive, _ pipeline: IngestionPipeline, _ uploads: UploadDoor, _ trail: ReadTrail = .off,
        _ verifier: CredentialVerifier? = nil, _ access: AccessTrail = AccessTrail(clock: systemClock)
    ) -> GantryResponder {
        let proxies = AddressRanges(configuration.server.trustedProxies)
        let publicAddress = PublicAddress(configured: configuration.server.publicURL) { proxies.contains($0) }
        let routes = Routes(
            store: StoreRoutes(
                pipeline: pipeline, limits: configuration.limits, isAcceptStrict: configuration.strict.accept),
            search: SearchRoutes(
                archive: ReadableArchive(archive), trail: trail, maximum: configuration.search.maximumResults,
                timezone: configuration.search.timezone,
                isAcceptStrict: configuration.strict.accept, isQueryStrict: configuration.strict.query),
            retrieve: RetrieveRoutes(
                archive: ReadableArchive(archive), pixels: pixels, trail: trail, configuration: configuration),
            delete: configuration.delete.isOffered
                ? DeleteRoutes(
                    archive: archive, eventSource: configuration.ingestion.eventSource, clock: Self.systemClock) : nil,
            orders: orderRoutes(pipeline.room),
            uploads: uploads.routes,
            operations: OperationsRoutes(
                checks: [.index(backends.database), .objects(backends.blobs, pipeline.room)], registry: registry,
                changes: ChangeFeed(archive: archive),
                access: AccessRoutes(
                    token: TokenRoutes(verifier: verifier, trail: access),
                    discovery: DiscoveryRoutes(
                        verifier: verifier, issuer: configuration.tokenIssuer,
                        trustedIssuers: configuration.access.trustedIssuers.map(\.issuer)),
                    admin: AdminRoutes(verifier: verifier, clock: Self.systemClock), publicAddress: publicAddress)),
            publicAddress: publicAddress)
        return GantryResponder(
            routes: routes, cors: CORSPolicy(origins: configuration.cors.origins), limits: configuration.limits,
            metrics: RequestMetrics(factory: registry),
            authentication: Authentication(verifier: verifier, trail: access, publicAddress: publicAddress),
            proxies: proxies)
    }

    /// What each commit of instances does besides storing them.
    var ingestionSteps: [any IngestionStep] {
        [OrderMatching(rules: configuration.orderRules, eventSource: configuration.ingestion.eventSource)]
    }

    private var orders: Orders {
        Orders(
            database: backends.database, blobs: backends.blobs, rules: configuration.orderRules,
            eventSource: configuration.ingestion.eventSource, clock: Self.systemClock)
    }

    private func orderRoutes(_ room: StorageRoom) -> OrderRoutes {
        let orders = orders
        return OrderRoutes(
            orders: orders,
            reports: ReportRoutes(
                orders: orders, blobs: backends.blobs, room: room, limit: configuration.orders.reportBytes),
            signer: { [database = backends.database] in
                ReceiptSigner(try await EvidenceKeyTable.key(.orderReceipt, in: database, now: Self.systemClock()))
            }, clock: Self.systemClock)
    }
}

/// Why the server does not start, in words for whoever started it.
package struct StartRefusal: Error, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}

extension GantryConfiguration {
    /// What our tokens name as their issuer.
    package var tokenIssuer: String {
        if let issuer = access.issuer ?? server.publicURL { return issuer }
        let host = server.host.contains(":") ? "[\(server.host)]" : server.host
        return "\(tls.isOn ? "https" : "http")://\(host):\(server.port)"
    }

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
