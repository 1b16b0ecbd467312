package import Archive
package import Audit
import BlobStorage
package import DICOMCore
import Messaging
package import SQLStorage
import ServiceLifecycle

/// Takes in what other processes made durable: what they send together, and at the same time, is committed together.
/// `run` must be running.
package struct CommitIntake: Service {
    private let stage: DatabaseCommit
    private let queue: CommitQueue
    private let steps: [any IngestionStep]
    private let eventSource: String

    package init(
        database: any SQLDatabase, index: ArchiveIndex, audit: AuditLog = AuditLog(), steps: [any IngestionStep] = [],
        configuration: IngestionConfiguration = IngestionConfiguration()
    ) {
        self.steps = steps
        eventSource = configuration.eventSource
        stage = DatabaseCommit(
            database: database, writer: CommitWriter(index: index, outbox: Outbox(), audit: audit, steps: steps))
        queue = CommitQueue(
            blobs: nil, stage: stage, capacity: configuration.queueCapacity, batchLimit: configuration.batchLimit)
    }

    package func run() async {
        let queue = queue
        await withTaskCancellationOrGracefulShutdownHandler {
            await queue.run()
        } onCancelOrGracefulShutdown: {
            queue.close()
        }
    }

    /// Takes no more. What is in is committed, then `run` returns.
    package func shutDown() { queue.close() }

    /// Commits what was sent together. Answers in their order.
    package func commit(_ records: [CommitRecord]) async -> [CommitAnswer] {
        await queue.room()
        return await queue.submit(records).map { answer in
            switch answer {
            case .decided(let decision, _): .decided(decision)
            case .noted: .noted
            case .failed(let cause, let remains):
                if case .doubtfulBlob = remains {
                    .failed(cause, isOutcomeUnknown: true)
                } else {
                    .failed(cause, isOutcomeUnknown: false)
                }
            }
        }
    }

    /// The decision about an instance, of which nothing is written.
    package func rehearse(_ record: CommitRecord) async throws -> StoreDecision {
        guard case .store(let storing) = record.content else { throw CommitFailure(.internalFailure) }
        do {
            return try await stage.rehearse(storing, time: record.time)
        } catch {
            throw CommitFailure(RefusalCause(storageError: error))
        }
    }

    /// What is to be committed of an instance that another process has checked and stored.
    ///
    /// - Parameter dataSet: its metadata; read from the entry where steps need it, when it is not there.
    package func record(
        of entry: IndexEntry, comparison: DataSetComparison? = nil, dataSet: DataSet? = nil, origin: IngestionOrigin,
        byteCount: Int, time: Int64
    ) throws -> CommitRecord {
        let metadata = try steps.isEmpty ? DataSet() : dataSet ?? entry.metadata()
        let instance = CheckedInstance(
            file: DICOMFile(dataSet: metadata, transferSyntaxUID: entry.transferSyntaxUID, length: entry.length),
            blob: StagedBlob(length: entry.length, digest: entry.digest, content: .memory(BytePieces())),
            identity: entry.identity, origin: origin, receivedAt: entry.receivedAt, warning: nil)
        var record = CommitRecord(
            content: .store(
                CommitRecord.Storing(
                    entry: entry, instance: instance, comparison: comparison,
                    event: IngestionEvents.stored(instance, source: eventSource, time: time))),
            staged: nil, origin: origin, byteCount: byteCount, time: time)
        record.setLocation(entry.location)
        return record
    }

    /// What the audit trail is to tell of an instance that another process refused.
    package func record(
        of cause: RefusalCause, _ identity: PartialIdentity?, origin: IngestionOrigin, byteCount: Int, time: Int64
    ) -> CommitRecord {
        CommitRecord(
            content: .refusal(cause, identity), staged: nil, origin: origin, byteCount: byteCount, time: time)
    }
}

extension CommitRecord {
    /// The same record with what a comparison of the data sets told.
    package func compared(_ comparison: DataSetComparison) -> CommitRecord {
        guard case .store(var storing) = content else { return self }
        storing.comparison = comparison
        var record = self
        record.content = .store(storing)
        return record
    }
}
