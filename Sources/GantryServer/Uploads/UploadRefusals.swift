import Access
import Audit
import Hummingbird
import Ingestion
import Logging
import Messaging
import Metrics
import ServiceLifecycle
import Synchronization

/// Notes refused requests about uploads for the audit trail. Alike ones within a moment are one record, so that who guesses keys fills no disk.
final class UploadRefusals: Service {
    private struct Key: Hashable {
        var kind: ProblemKind
        var detail: String
        var client: String?
        var credentialID: String?
        var organization: String?
        var address: String?
        var upload: String?
    }

    private struct Entry {
        var count = 0
        var requestID: String
        var time: Int64
    }

    private let table: UploadTable
    private let logger: Logger
    private let clock: @Sendable () -> Int64
    private let waiting = Mutex<[Key: Entry]>([:])
    private let refused: Counter

    private static let interval = Duration.milliseconds(500)
    private static let mostWaiting = 500

    init(
        table: UploadTable, metrics: any MetricsFactory, logger: Logger, clock: @escaping @Sendable () -> Int64
    ) {
        self.table = table
        self.logger = logger
        self.clock = clock
        refused = Counter(label: "gantry_upload_requests_refused_total", factory: metrics)
    }

    /// Notes one.
    ///
    /// - Parameter upload: The upload's key, where there is such an upload: a guessed one is not worth keeping.
    func note(_ problem: Problem, upload: String?, context: GantryContext) {
        refused.increment()
        let now = clock()
        let principal = context.principal
        var key = Key(
            kind: problem.kind, detail: problem.detail, client: principal.client,
            credentialID: principal.credentialID, organization: principal.organization,
            address: context.remoteAddress, upload: upload)
        waiting.withLock { waiting in
            if waiting.count >= Self.mostWaiting { key.upload = nil }
            waiting[key, default: Entry(requestID: context.requestID, time: now)].count += 1
        }
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do { try await Task.sleep(for: Self.interval) } catch { break }
                await self.write()
            }
        }
        await write()
    }

    /// Writes what was noted.
    func write() async {
        let noted = waiting.withLock { waiting in
            defer { waiting = [:] }
            return waiting
        }
        guard !noted.isEmpty else { return }
        let events = noted.map { key, entry in
            var details = ["problem": key.kind.rawValue, "requests": "\(entry.count)"]
            details["upload"] = key.upload
            return AuditEvent(
                id: UUIDv7(milliseconds: entry.time).description, time: entry.time, kind: .requestRefused,
                action: .execute, outcome: .minorFailure, outcomeText: key.detail,
                actor: AuditEvent.Actor(
                    client: key.client, credentialID: key.credentialID, organization: key.organization,
                    address: key.address),
                door: IngestionOrigin.Door.upload.rawValue, requestID: entry.requestID, details: details)
        }
        do {
            try await table.record(events.sorted { $0.time < $1.time })
        } catch {
            logger.warning(
                "audit records of refused uploads could not be written", metadata: ["error": "\(type(of: error))"])
        }
    }
}
