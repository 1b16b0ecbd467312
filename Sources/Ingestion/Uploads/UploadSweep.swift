package import BlobStorage
package import Logging
import ServiceLifecycle

/// Compares what has landed with the table of uploads, so that nothing is lost when nobody told of it, and nothing stays that nobody wants.
///
/// One process at a time does it. Every step may be repeated.
package struct UploadSweep: Service {
    /// What one sweep did.
    package struct Report: Hashable, Sendable {
        /// Objects that nobody had told of.
        package var found = 0
        /// Objects that were left over when their upload had ended.
        package var cleared = 0
        /// URLs that ran out.
        package var expired = 0
        /// Objects whose time in quarantine is over, and objects without an upload.
        package var deleted = 0

        package init() {}
    }

    private let table: UploadTable
    private let landing: any UploadLanding
    private let configuration: UploadConfiguration
    private let signal: UploadSignal
    private let logger: Logger
    private let clock: @Sendable () -> Int64

    package init(
        table: UploadTable, landing: any UploadLanding, configuration: UploadConfiguration, signal: UploadSignal,
        logger: Logger, clock: @escaping @Sendable () -> Int64
    ) {
        self.table = table
        self.landing = landing
        self.configuration = configuration
        self.signal = signal
        self.logger = logger
        self.clock = clock
    }

    private static let pageSize = 500
    private static let duty = "sweep"

    package func run() async {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    if try await takeDuty() { try await sweep() }
                } catch is CancellationError {
                    return
                } catch {
                    // The next one does what this one did not.
                    logger.warning("Sweep of uploads failed", metadata: ["error": "\(type(of: error))"])
                }
                do { try await Task.sleep(for: configuration.sweepInterval) } catch { return }
            }
        }
    }

    /// Whether this process is to sweep now: others leave it alone for the better part of an interval.
    private func takeDuty() async throws -> Bool {
        let now = clock()
        let interval = configuration.sweepInterval / .milliseconds(1)
        return try await table.takeDuty(Self.duty, at: now, until: now + Int64(interval * 0.8))
    }

    /// Goes through everything once.
    @discardableResult
    package func sweep() async throws -> Report {
        var report = Report()
        try await findLanded(&report)
        try await expire(&report)
        try await emptyQuarantine(&report)
        let abandoned = try await landing.multipartUploads(begunBefore: clock() - configuration.multipartLifetime)
        for upload in abandoned { try await landing.abortMultipart(upload) }
        _ = try await table.forget(endedBefore: clock() - configuration.history)
        if let disk = landing as? DiskUploadLanding {
            try await disk.removeEmptyFolders(before: clock() - Self.day)
            try await disk.reloadKeys()
        }
        return report
    }

    private static let day: Int64 = 24 * 3_600_000

    private func findLanded(_ report: inout Report) async throws {
        try await forEachPage(of: .incoming) { objects in
            let states = try await table.states(objects.map(\.key))
            for object in objects {
                switch states[object.key] {
                case .issued, .expired:
                    guard let session = try await table.session(object.key) else { continue }
                    if try await table.receive(object, of: session, at: clock()) { report.found += 1 }
                case .received, .ingesting: continue
                case .stored:
                    try await landing.delete([object.key], from: .incoming)
                    report.cleared += 1
                case .rejected:
                    try await landing.quarantine(object.key)
                    report.cleared += 1
                case nil:
                    guard object.modified < clock() - configuration.unclaimed else { continue }
                    try await landing.delete([object.key], from: .incoming)
                    report.deleted += 1
                }
            }
        }
        if report.found > 0 { signal.raise() }
    }

    private func expire(_ report: inout Report) async throws {
        while true {
            let now = clock()
            let expired = try await table.expire(before: now, at: now, limit: Self.pageSize)
            report.expired += expired.count
            for session in expired {
                if let upload = session.multipart { try await landing.abortMultipart(upload) }
            }
            if expired.count < Self.pageSize { return }
        }
    }

    private func emptyQuarantine(_ report: inout Report) async throws {
        try await forEachPage(of: .quarantine) { objects in
            let old = objects.filter { $0.modified < clock() - configuration.quarantine }
            try await landing.delete(old.map(\.key), from: .quarantine)
            report.deleted += old.count
        }
    }

    private func forEachPage(of area: LandingArea, _ body: ([LandedObject]) async throws -> Void) async throws {
        var cursor: BlobCursor?
        repeat {
            try Task.checkCancellation()
            let page = try await landing.list(area, after: cursor, limit: Self.pageSize)
            cursor = page.next
            if !page.objects.isEmpty { try await body(page.objects) }
        } while cursor != nil
    }
}
