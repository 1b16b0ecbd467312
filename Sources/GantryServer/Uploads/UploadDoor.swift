import BlobStorage
import Ingestion
import Logging
import Metrics
import NIOPosix
import SQLStorage
import ServiceLifecycle

/// Everything of presigned uploads put together: what answers requests, and what runs beside.
struct UploadDoor: Sendable {
    let routes: UploadRoutes
    let intake: UploadIntake
    let sweep: UploadSweep
    /// For the library that reads archives.
    private let threads: NIOThreadPool

    /// - Parameter clock: Milliseconds since 1970.
    init(
        database: any SQLDatabase, landing: any UploadLanding, pipeline: IngestionPipeline, orders: UploadOrders,
        configuration: GantryConfiguration, trail: AccessTrail, metrics: any MetricsFactory, logger: Logger,
        clock: @escaping @Sendable () -> Int64
    ) {
        let table = UploadTable(database: database)
        let signal = UploadSignal()
        let settings = configuration.uploads.settings
        let threads = NIOThreadPool(numberOfThreads: max(1, settings.workers))
        threads.start()
        self.threads = threads
        let ended = Dictionary(
            uniqueKeysWithValues: [UploadSession.State.stored, .rejected].map { state in
                (
                    state,
                    Counter(
                        label: "gantry_uploads_ended_total", dimensions: [("state", state.rawValue)], factory: metrics)
                )
            })
        intake = UploadIntake(
            table: table, landing: landing, pipeline: pipeline, orders: orders, configuration: settings,
            signal: signal, threads: threads, logger: logger, clock: clock
        ) { session in ended[session.state]?.increment() }
        sweep = UploadSweep(
            table: table, landing: landing, configuration: settings, signal: signal, logger: logger, clock: clock)
        let issue = UploadIssue(
            table: table, landing: landing, orders: orders,
            allowance: UploadAllowance(
                limit: settings.outstanding, rate: configuration.uploads.issueRate, clock: clock
            ) { client in
                try await table.outstanding(client, at: clock(), limit: settings.outstanding + 1)
            },
            configuration: settings, room: pipeline.room, clock: clock)
        routes = UploadRoutes(
            issue: issue, multipart: MultipartUploadRoute(issue: issue, signal: signal),
            put: (landing as? DiskUploadLanding).map { disk in
                UploadPut(
                    landing: disk, table: table, pipeline: pipeline, signal: signal, clock: clock,
                    received: Counter(label: "gantry_uploads_received_total", factory: metrics),
                    bytes: Counter(label: "gantry_upload_bytes_total", factory: metrics))
            },
            events: UploadEvents(table: table),
            notifications: UploadNotifications(table: table, landing: landing, signal: signal, clock: clock),
            trail: trail)
    }

    /// What runs beside the server, to be stopped after it.
    var services: [any Service] { [intake, sweep] }

    /// Lets go of threads, once nothing runs any more.
    func close() async throws { try await threads.shutdownGracefully() }
}

extension GantryConfiguration.Uploads {
    /// What the site decides, as the parts below the server take it.
    var settings: UploadConfiguration {
        var settings = UploadConfiguration()
        settings.lifetime = Int64(lifetime.milliseconds)
        settings.longestLifetime = Int64(longestLifetime.milliseconds)
        settings.multipartLifetime = Int64(multipartLifetime.milliseconds)
        settings.outstanding = outstanding
        settings.quarantine = Int64(quarantine.milliseconds)
        settings.history = Int64(history.milliseconds)
        settings.sweepInterval = sweepInterval
        settings.workers = workers
        settings.archives.entries = archiveEntries
        settings.archives.expandedBytes = archiveBytes
        settings.archives.ratio = archiveRatio
        return settings
    }
}
