package import BlobStorage
import Crypto
package import Logging
import Messaging
import NIOCore
package import NIOPosix
import ServiceLifecycle
import Synchronization

/// Ingests what has landed, through the same pipeline as every other door.
///
/// Several processes share the work: each takes uploads under a lease and renews it while it is busy. Whatever is done is done again after a crash, and then
/// changes nothing: the pipeline answers identical bytes with success, and the row of an upload ends once. Only then is the object deleted.
package struct UploadIntake: Service {
    private let table: UploadTable
    private let landing: any UploadLanding
    private let pipeline: IngestionPipeline
    private let orders: UploadOrders
    private let configuration: UploadConfiguration
    private let signal: UploadSignal
    private let threads: NIOThreadPool
    private let logger: Logger
    private let clock: @Sendable () -> Int64
    private let onEnd: @Sendable (UploadSession) -> Void

    /// - Parameters:
    ///   - signal: Raised when something has landed; without it, it is looked for every second.
    ///   - threads: For the library that reads archives: as many as there are workers.
    ///   - onEnd: Told of each upload that ends here.
    package init(
        table: UploadTable, landing: any UploadLanding, pipeline: IngestionPipeline, orders: UploadOrders,
        configuration: UploadConfiguration, signal: UploadSignal, threads: NIOThreadPool, logger: Logger,
        clock: @escaping @Sendable () -> Int64, onEnd: @escaping @Sendable (UploadSession) -> Void = { _ in }
    ) {
        self.onEnd = onEnd
        self.table = table
        self.landing = landing
        self.pipeline = pipeline
        self.orders = orders
        self.configuration = configuration
        self.signal = signal
        self.threads = threads
        self.logger = logger
        self.clock = clock
    }

    /// The most small uploads that are taken at once, and the most bytes of these.
    private static let batchCount = 32
    private static let batchBytes = 16 << 20

    /// Ingests until the service group shuts down; what is being ingested then is finished.
    package func run() async {
        let stop = StopFlag()
        await withTaskCancellationOrGracefulShutdownHandler {
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    while (try? await Task.sleep(for: .seconds(1))) != nil { signal.raise() }
                }
                for _ in 0..<max(1, configuration.workers) {
                    group.addTask { await work(until: stop) }
                }
                for _ in 0..<max(1, configuration.workers) { await group.next() }
                group.cancelAll()
            }
        } onCancelOrGracefulShutdown: {
            stop.isSet.store(true, ordering: .relaxed)
            signal.raise()
        }
    }

    private final class StopFlag: Sendable {
        let isSet = Atomic(false)
    }

    private func work(until stop: StopFlag) async {
        while !stop.isSet.load(ordering: .relaxed) {
            let count = signal.count
            do {
                if try await ingestSome() == 0 { await signal.wait(after: count) }
            } catch {
                logger.warning("Uploads could not be taken", metadata: ["error": "\(type(of: error))"])
                await signal.wait(after: count)
            }
        }
    }

    /// Takes some uploads that wait and brings them to their end; answers how many it took.
    @discardableResult
    package func ingestSome() async throws -> Int {
        let lease = UUIDv7(milliseconds: clock()).description
        let now = clock()
        let sessions = try await table.claim(
            limit: Self.batchCount, bytes: Self.batchBytes, lease: lease, at: now, until: now + configuration.lease)
        guard !sessions.isEmpty else { return 0 }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await renew(sessions.map(\.key), lease) }
            group.addTask { await ingest(sessions, lease) }
            // The first to end is the work: renewing goes on until it is cancelled.
            await group.next()
            group.cancelAll()
        }
        return sessions.count
    }

    private func renew(_ keys: [UploadKey], _ lease: String) async {
        let pause = Duration.milliseconds(max(1, configuration.lease / 3))
        while (try? await Task.sleep(for: pause)) != nil {
            // A lease that could not be renewed runs out: another process does the work again, to the same effect.
            _ = try? await table.renew(keys, lease: lease, until: clock() + configuration.lease)
        }
    }

    // MARK: - Uploads

    /// What is to be done about an upload.
    private enum Verdict {
        case ended(UploadResult)
        case postponed
    }

    private func ingest(_ sessions: [UploadSession], _ lease: String) async {
        var verdicts: [(session: UploadSession, verdict: Verdict)] = []
        var batch: [(session: UploadSession, received: ReceivedInstance)] = []
        for session in sessions {
            do {
                switch try await open(session) {
                case .refused(let failure): verdicts.append((session, .ended(UploadResult(failure))))
                case .instance(let object):
                    guard let received = try await receive(object, of: session) else {
                        verdicts.append((session, .ended(UploadResult(.wrongDigest))))
                        continue
                    }
                    batch.append((session, received))
                case .archive(let object): verdicts.append((session, try await ingestArchive(object, of: session)))
                }
            } catch {
                verdicts.append((session, verdict(on: error, of: session)))
            }
        }
        for (upload, outcome) in zip(batch, await pipeline.ingest(batch.map(\.received))) {
            var result = UploadResult()
            result.add(outcome, file: nil)
            verdicts.append((upload.session, outcome.isPassing ? .postponed : .ended(result)))
        }
        await settle(verdicts, lease)
    }

    private enum Opened {
        case instance(LandedObject)
        case archive(LandedObject)
        case refused(UploadFailure)
    }

    /// Looks at what has landed: whether it is what was announced, and what it is.
    private func open(_ session: UploadSession) async throws -> Opened {
        guard let object = try await landing.head(session.key) else { return .refused(.gone) }
        if let known = session.etag, let etag = object.etag, known != etag { return .refused(.changed) }
        if let length = session.announcement.contentLength, length != object.length { return .refused(.wrongLength) }
        let head = try await landing.read(object, 0..<min(object.length, UploadContent.headLength))
        return switch UploadContent(head: head.readableBytesView) {
        case .part10: .instance(object)
        case .zip: .archive(object)
        case .emptyZip: .refused(ArchiveBreach.empty.failure)
        case .otherArchive, .unknown: .refused(.notDICOM())
        }
    }

    /// Reads an instance into the pipeline; `nil` when it has another digest than was announced.
    private func receive(_ object: LandedObject, of session: UploadSession) async throws -> ReceivedInstance? {
        // The gateway's own landing has checked it while the object came.
        var hasher = landing.isGateway ? nil : session.announcement.sha256.map { _ in SHA256() }
        var receiver = await pipeline.receive(object, from: landing, origin: session.origin)
        do {
            for try await piece in landing.chunks(object) {
                if hasher != nil { piece.withUnsafeReadableBytes { hasher?.update(bufferPointer: $0) } }
                await receiver.write(piece)
                if receiver.isRefused, hasher == nil { break }
            }
        } catch {
            await receiver.abandon()
            throw error
        }
        if let hasher, Array(hasher.finalize()) != session.announcement.sha256 {
            await receiver.abandon()
            return nil
        }
        return await receiver.finish()
    }

    private func ingestArchive(_ object: LandedObject, of session: UploadSession) async throws -> Verdict {
        if let digest = session.announcement.sha256, !landing.isGateway {
            var hasher = SHA256()
            for try await piece in landing.chunks(object) {
                piece.withUnsafeReadableBytes { hasher.update(bufferPointer: $0) }
            }
            guard Array(hasher.finalize()) == digest else { return .ended(UploadResult(.wrongDigest)) }
        }
        let contents = ZipContents(
            reader: ZipReader(
                object: object, landing: landing, limits: configuration.archives, threads: threads),
            pipeline: pipeline, origin: session.origin)
        var outcome: ZipContents.Outcome
        do {
            outcome = try await contents.ingest()
        } catch let breach as ArchiveBreach {
            return .ended(UploadResult(breach.failure))
        }
        guard !outcome.isPostponed else { return .postponed }
        if let json = outcome.sidecar {
            let refusal = try await orders.addMetadata(
                UploadOrders.Sidecar(
                    json: json, upload: session.key, orderID: session.announcement.orderID,
                    studies: outcome.result.studies, principal: session.owner.principal))
            if let refusal { outcome.result.add(UploadFailure(code: "metadata", reason: refusal)) }
        }
        return .ended(outcome.result)
    }

    /// What an error means: storage that does not answer now may do so later; a mistake of ours is given up at last.
    private func verdict(on error: any Error, of session: UploadSession) -> Verdict {
        if let error = error as? UploadLandingError, error.code == .changed { return .ended(UploadResult(.changed)) }
        let cause = RefusalCause(storageError: error)
        guard !(error is CancellationError), !cause.isBackendDown, !cause.isOutOfSpace,
            session.attempts >= Self.mostAttempts
        else { return .postponed }
        logger.error("An upload could not be ingested", metadata: ["error": "\(type(of: error))"])
        return .ended(UploadResult(.unreadable))
    }

    private static let mostAttempts = 10

    // MARK: - Ends

    /// Ends rows, and then takes the objects away: a crash in between is the sweep's.
    private func settle(_ verdicts: [(session: UploadSession, verdict: Verdict)], _ lease: String) async {
        var ended: [UploadSession] = []
        var postponed: [UploadSession] = []
        for (session, verdict) in verdicts {
            switch verdict {
            case .postponed: postponed.append(session)
            case .ended(let result):
                var session = session
                session.result = result
                session.state = result.instances > 0 ? .stored : .rejected
                ended.append(session)
            }
        }
        do {
            if !postponed.isEmpty { try await postpone(postponed, lease) }
            let finished = try await table.finish(ended, lease: lease, at: clock())
            ended = ended.filter { finished.contains($0.key) }
            for session in ended { onEnd(session) }
            try await landing.delete(ended.filter { $0.state == .stored }.map(\.key), from: .incoming)
            for session in ended where session.state == .rejected { try await quarantine(session.key) }
        } catch {
            // Leases run out, and the sweep finds what is left over.
            logger.warning("Uploads could not be ended", metadata: ["error": "\(type(of: error))"])
        }
    }

    private func quarantine(_ key: UploadKey) async throws {
        do {
            try await landing.quarantine(key)
        } catch let error as BlobError where error.code == .notFound {
            // It was gone before: that is why it was rejected.
        }
    }

    private func postpone(_ sessions: [UploadSession], _ lease: String) async throws {
        let now = clock()
        for session in sessions {
            // One second, doubled with each attempt up to five minutes.
            let pause = min(300_000, Int64(1000) << min(9, max(0, session.attempts - 1)))
            try await table.postpone([session.key], lease: lease, until: now + pause, at: now)
        }
    }
}
