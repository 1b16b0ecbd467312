package import Archive
package import Audit
package import BlobStorage
import DICOMCore
import Messaging
package import SQLStorage
import ServiceLifecycle

/// Takes instances in: receives, identifies, checks and stores them, and announces what it stored.
///
/// Each stage has its own type: `ReceivedInstance`, `IdentifiedInstance`, `CheckedInstance`, and at the end the
/// `IngestionOutcome`. The bytes are durable first, then one transaction writes index, change, event and audit rows,
/// then the sender is answered (reliability.md D.2). `run` must be running for instances to be stored.
package struct IngestionPipeline: Service {
    /// Bytes that requests in progress hold: reserve before a body is read, and say "busy" when it is short.
    package let budget: ByteBudget
    let blobs: any BlobStore
    private let database: any SQLDatabase
    private let index: ArchiveIndex
    private let steps: [any IngestionStep]
    private let configuration: IngestionConfiguration
    private let checks: InstanceChecks
    private let queue: CommitQueue
    private let clock: @Sendable () -> Int64

    /// - Parameter clock: Milliseconds since 1970.
    package init(
        database: any SQLDatabase, blobs: any BlobStore, index: ArchiveIndex, audit: AuditLog = AuditLog(),
        steps: [any IngestionStep] = [], configuration: IngestionConfiguration = IngestionConfiguration(),
        clock: @escaping @Sendable () -> Int64
    ) {
        self.database = database
        self.blobs = blobs
        self.index = index
        self.steps = steps
        self.configuration = configuration
        self.clock = clock
        budget = ByteBudget(limit: configuration.byteBudget)
        checks = InstanceChecks(configuration: configuration)
        queue = CommitQueue(
            blobs: blobs, database: database,
            writer: CommitWriter(
                index: index, outbox: Outbox(), audit: audit, steps: steps),
            capacity: configuration.queueCapacity, batchLimit: configuration.batchLimit)
    }

    /// Commits what is submitted, until the service group shuts down or `shutDown` is called; then finishes what is in.
    package func run() async {
        let queue = queue
        await withTaskCancellationOrGracefulShutdownHandler {
            await queue.run()
        } onCancelOrGracefulShutdown: {
            queue.close()
        }
    }

    /// Takes no more instances. What is in is committed, then `run` returns.
    package func shutDown() { queue.close() }

    /// Begins with one instance. Waits while too many are waiting to be committed.
    ///
    /// - Parameter expectedLength: The length of the instance, if the sender told it.
    package func receive(expectedLength: Int?, origin: IngestionOrigin) async -> InstanceReceiver {
        let now = clock()
        let limit = configuration.maximumInstanceBytes
        if let expectedLength, expectedLength > limit {
            return InstanceReceiver(refusal: .tooLarge(limit: limit), origin: origin, receivedAt: now)
        }
        await queue.room()
        do {
            return InstanceReceiver(
                writer: try await blobs.stage(expectedLength: expectedLength), limit: limit,
                zeroesPreamble: configuration.preamble == .zero, origin: origin, receivedAt: now)
        } catch {
            return InstanceReceiver(refusal: RefusalCause(storageError: error), origin: origin, receivedAt: now)
        }
    }

    /// Gives up an instance that was received and shall not be stored.
    package func discard(_ received: ReceivedInstance) async {
        if case .file(_, let blob) = received.content { await blobs.discard([blob]) }
    }

    /// Stores an instance that was received, or says why not. A dry run gives the same verdict and keeps nothing.
    package func ingest(_ received: ReceivedInstance, dryRun: Bool = false) async -> IngestionOutcome {
        let file: DICOMFile
        let blob: StagedBlob
        switch received.content {
        case .refused(let cause, let identity):
            return await refuse(received, cause, identity, dryRun: dryRun)
        case .file(let readFile, let stagedBlob):
            (file, blob) = (readFile, stagedBlob)
        }
        let checked: CheckedInstance
        switch checks.identify(file, blob, of: received) {
        case .refused(let cause, let identity):
            await blobs.discard([blob])
            return await refuse(received, cause, identity, dryRun: dryRun)
        case .passed(let identified):
            switch checks.check(identified) {
            case .refused(let cause, let identity):
                await blobs.discard([blob])
                return await refuse(received, cause, identity, dryRun: dryRun)
            case .passed(let instance):
                checked = instance
            }
        }
        do {
            for step in steps {
                guard let cause = try await step.examine(checked) else { continue }
                await blobs.discard([blob])
                return await refuse(received, cause, PartialIdentity(checked.identity), dryRun: dryRun)
            }
        } catch {
            await blobs.discard([blob])
            return .refused(RefusalCause(storageError: error), identity: PartialIdentity(checked.identity))
        }
        let storing = InstanceStoring(
            instance: checked, length: received.length, time: clock(), blobs: blobs, database: database, index: index,
            queue: queue, eventSource: configuration.eventSource)
        return dryRun ? await storing.rehearse() : await storing.store()
    }

    /// Puts the refusal on the audit trail. It stands, whether the trail could be written or not.
    private func refuse(
        _ received: ReceivedInstance, _ cause: RefusalCause, _ identity: PartialIdentity?, dryRun: Bool
    ) async -> IngestionOutcome {
        if !dryRun {
            _ = await queue.submit(
                CommitRecord(
                    content: .refusal(cause, identity), staged: nil, origin: received.origin,
                    byteCount: received.length, time: clock()))
        }
        return .refused(cause, identity: identity)
    }
}
