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
    /// Whether the medium has room: ask before a body is read.
    package let room: StorageRoom
    let blobs: any BlobStore
    private let stage: any CommitStage
    private let steps: [any IngestionStep]
    private let configuration: IngestionConfiguration
    private let checks: InstanceChecks
    private let queue: CommitQueue
    private let clock: @Sendable () -> Int64

    /// - Parameters:
    ///   - room: Whether the medium has room; `nil` writes until it is full.
    ///   - clock: Milliseconds since 1970.
    package init(
        database: any SQLDatabase, blobs: any BlobStore, index: ArchiveIndex, audit: AuditLog = AuditLog(),
        steps: [any IngestionStep] = [], configuration: IngestionConfiguration = IngestionConfiguration(),
        room: StorageRoom? = nil, clock: @escaping @Sendable () -> Int64
    ) {
        self.init(
            stage: DatabaseCommit(
                database: database,
                writer: CommitWriter(index: index, outbox: Outbox(), audit: audit, steps: steps)),
            blobs: blobs, steps: steps, configuration: configuration, room: room, clock: clock)
    }

    /// The same with the rows written elsewhere.
    package init(
        stage: any CommitStage, blobs: any BlobStore, steps: [any IngestionStep] = [],
        configuration: IngestionConfiguration = IngestionConfiguration(), room: StorageRoom? = nil,
        clock: @escaping @Sendable () -> Int64
    ) {
        self.stage = stage
        self.blobs = blobs
        self.steps = steps
        self.configuration = configuration
        self.clock = clock
        self.room = room ?? StorageRoom(.off) { try await blobs.space() }
        budget = ByteBudget(limit: configuration.byteBudget)
        checks = InstanceChecks(configuration: configuration)
        queue = CommitQueue(
            blobs: blobs, stage: stage, capacity: configuration.queueCapacity, batchLimit: configuration.batchLimit)
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
        await receive(expectedLength: expectedLength, origin: origin) { nil }
    }

    /// Begins with one instance that has landed: it is read from there and, where that can be, not copied.
    func receive(
        _ object: LandedObject, from landing: any UploadLanding, origin: IngestionOrigin
    ) async -> InstanceReceiver {
        // A preamble that is cleared makes other bytes of it.
        let isKept = configuration.preamble == .keep
        return await receive(expectedLength: object.length, origin: origin) { [blobs] in
            isKept ? try await landing.adopting(object, into: blobs) : nil
        }
    }

    private func receive(
        expectedLength: Int?, origin: IngestionOrigin, adopting: () async throws -> (any BlobWriter)?
    ) async -> InstanceReceiver {
        let now = clock()
        let limit = configuration.maximumInstanceBytes
        if let expectedLength, expectedLength > limit {
            return InstanceReceiver(refusal: .tooLarge(limit: limit), origin: origin, receivedAt: now)
        }
        guard !room.isFull else {
            return InstanceReceiver(refusal: .outOfSpace, origin: origin, receivedAt: now)
        }
        await queue.room()
        do {
            let writer: any BlobWriter
            if let adopted = try await adopting() {
                writer = adopted
            } else {
                writer = try await blobs.stage(expectedLength: expectedLength)
            }
            return InstanceReceiver(
                writer: writer, limit: limit,
                zeroesPreamble: configuration.preamble == .zero, rules: configuration.readingRules, room: room,
                origin: origin, receivedAt: now)
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
        await ingest([received], dryRun: dryRun).first ?? .refused(.internalFailure, identity: nil)
    }

    /// The same for instances that came together and may be committed together. Answers in their order.
    package func ingest(_ received: [ReceivedInstance], dryRun: Bool = false) async -> [IngestionOutcome] {
        var verdicts: [Result<InstanceStoring, Refusal>] = []
        verdicts.reserveCapacity(received.count)
        for instance in received { verdicts.append(await examine(instance)) }
        guard !dryRun else { return await rehearse(verdicts) }

        // What is refused goes on the audit trail, and stands whether that could be written or not.
        let records = zip(verdicts, received).compactMap { verdict, instance in
            switch verdict {
            case .success(let storing): storing.record
            case .failure(let refusal): refusal.record(of: instance, time: clock())
            }
        }
        var answered = zip(records, await queue.submit(records)).makeIterator()
        var outcomes: [IngestionOutcome] = []
        outcomes.reserveCapacity(verdicts.count)
        for verdict in verdicts {
            switch verdict {
            case .failure(let refusal):
                if refusal.isNoted { _ = answered.next() }
                outcomes.append(refusal.outcome)
            case .success(let storing):
                guard let (record, answer) = answered.next() else { preconditionFailure("one answer for each record") }
                outcomes.append(await storing.outcome(of: answer, to: record))
            }
        }
        return outcomes
    }

    private func rehearse(_ verdicts: [Result<InstanceStoring, Refusal>]) async -> [IngestionOutcome] {
        var outcomes: [IngestionOutcome] = []
        for verdict in verdicts {
            switch verdict {
            case .failure(let refusal): outcomes.append(refusal.outcome)
            case .success(let storing): outcomes.append(await storing.rehearse())
            }
        }
        return outcomes
    }

    /// Why an instance is not to be stored.
    private struct Refusal: Error {
        var cause: RefusalCause
        var identity: PartialIdentity?
        /// Whether the audit trail is to tell of it: not when a back end is to blame.
        var isNoted = true

        var outcome: IngestionOutcome { .refused(cause, identity: identity) }

        func record(of received: ReceivedInstance, time: Int64) -> CommitRecord? {
            guard isNoted else { return nil }
            return CommitRecord(
                content: .refusal(cause, identity), staged: nil, origin: received.origin, byteCount: received.length,
                time: time)
        }
    }

    /// Checks an instance in every way that needs no look at what is stored. What is refused has left nothing behind.
    private func examine(_ received: ReceivedInstance) async -> Result<InstanceStoring, Refusal> {
        switch received.content {
        case .refused(let cause, let identity): return .failure(Refusal(cause: cause, identity: identity))
        case .file(let file, let blob):
            do throws(Refusal) {
                let checked = try check(file, blob, of: received)
                try await askSteps(about: checked)
                return .success(
                    InstanceStoring(
                        instance: checked, length: received.length, time: clock(), blobs: blobs, stage: stage,
                        queue: queue, eventSource: configuration.eventSource))
            } catch {
                await blobs.discard([blob])
                return .failure(error)
            }
        }
    }

    private func check(
        _ file: DICOMFile, _ blob: StagedBlob, of received: ReceivedInstance
    ) throws(Refusal) -> CheckedInstance {
        switch checks.identify(file, blob, of: received) {
        case .refused(let cause, let identity): throw Refusal(cause: cause, identity: identity)
        case .passed(let identified):
            switch checks.check(identified) {
            case .refused(let cause, let identity): throw Refusal(cause: cause, identity: identity)
            case .passed(let checked): return checked
            }
        }
    }

    private func askSteps(about instance: CheckedInstance) async throws(Refusal) {
        for step in steps {
            let cause: RefusalCause?
            do {
                cause = try await step.examine(instance)
            } catch {
                throw Refusal(
                    cause: RefusalCause(storageError: error), identity: PartialIdentity(instance.identity),
                    isNoted: false)
            }
            if let cause { throw Refusal(cause: cause, identity: PartialIdentity(instance.identity)) }
        }
    }
}
