import Archive
import BlobStorage
import SQLStorage
import Synchronization

/// Group commit: whatever is ready while a commit runs goes into the next one (reliability.md D.2, rule 1).
///
/// Two stages work at the same time. The first makes the blobs of a batch durable in one act; the second writes the
/// rows of all durable instances, events and audit records in one transaction. Answers are given after that.
final class CommitQueue: Sendable {
    /// What became of one submission.
    enum Answer: Sendable {
        /// The index has decided. The blob is at its location, if the submission had one.
        case decided(StoreDecision, at: BlobLocation?)
        /// The audit trail has it.
        case noted
        /// The sender must be told that it is not stored.
        case failed(RefusalCause, Remains)
    }

    /// What a failure leaves of the blob.
    enum Remains: Sendable {
        case nothing
        case stagedBlob
        case durableBlob(BlobLocation?)
        /// The transaction may have gone through although its answer did not come: the sweep must judge the blob.
        case doubtfulBlob
    }

    private struct Submission: Sendable {
        var record: CommitRecord
        let answer: CheckedContinuation<Answer, Never>
    }

    private let blobs: any BlobStore
    private let database: any SQLDatabase
    private let writer: CommitWriter
    private let batchLimit: Int
    private let staged: Handoff<Submission>
    private let durable: Handoff<Submission>

    init(
        blobs: any BlobStore, database: any SQLDatabase, writer: CommitWriter, capacity: Int, batchLimit: Int
    ) {
        self.blobs = blobs
        self.database = database
        self.writer = writer
        self.batchLimit = max(batchLimit, 1)
        staged = Handoff(capacity: capacity)
        durable = Handoff(capacity: 2 * max(batchLimit, 1))
    }

    /// Waits until the queue is short enough for another instance to be received.
    func room() async { await staged.room() }

    /// Hands an instance over and waits for the answer. Cancelling the caller's task takes nothing back.
    func submit(_ record: CommitRecord) async -> Answer {
        await withCheckedContinuation { continuation in
            guard staged.put(Submission(record: record, answer: continuation)) else {
                return continuation.resume(returning: .failed(.backendDown, .stagedBlob))
            }
        }
    }

    /// Takes no more submissions. Those that are in are committed, then `run` returns.
    func close() { staged.close() }

    /// Does the work until `close`.
    func run() async {
        if let blockingCommit = blobs.blockingCommit { return await commitAtOnce(blockingCommit) }
        await withDiscardingTaskGroup { group in
            group.addTask { await self.makeDurable() }
            group.addTask { await self.commit() }
        }
    }

    // MARK: - Both stages on one thread

    /// What the database's thread leaves of a batch: those whose blobs are safe, and what became of the others.
    private final class Progress: Sendable {
        let ready = Mutex<[Submission]?>(nil)
    }

    /// Where blobs are made durable by blocking, the thread that writes the rows does both: each change of threads
    /// costs more than a small instance does. The order is the same: blobs first, rows second.
    private func commitAtOnce(
        _ blockingCommit: @escaping @Sendable ([StagedBlob]) -> [Result<BlobLocation, BlobError>]
    ) async {
        let writer = writer
        while true {
            let batch = await staged.take(upTo: batchLimit)
            guard !batch.isEmpty else { return }
            let progress = Progress()
            do {
                let decisions = try await database.write { transaction in
                    let ready = progress.ready.withLock { ready in
                        let made = ready ?? Self.settle(batch, blockingCommit(batch.compactMap(\.record.staged)))
                        ready = made
                        return made
                    }
                    return try writer.write(ready.map(\.record), in: transaction)
                }
                answer(progress.ready.withLock { $0 ?? [] }, decisions)
            } catch {
                if let ready = progress.ready.withLock({ $0 }) {
                    // The blobs are safe; what is to blame for the failure is found as ever.
                    await commit(ready[...])
                } else {
                    let cause = DatabaseFailure(error).cause
                    for submission in batch {
                        submission.answer.resume(
                            returning: .failed(cause, submission.record.staged == nil ? .nothing : .stagedBlob))
                    }
                }
            }
        }
    }

    private func answer(_ batch: [Submission], _ decisions: [StoreDecision?]) {
        for (submission, decision) in zip(batch, decisions) {
            submission.answer.resume(
                returning: decision.map { .decided($0, at: submission.record.location) } ?? .noted)
        }
    }

    // MARK: - First stage

    private func makeDurable() async {
        while true {
            let batch = await staged.take(upTo: batchLimit)
            guard !batch.isEmpty else { break }
            let ready = await makeDurable(batch)
            await durable.room()
            // The second stage closes only after this one has ended.
            _ = durable.put(contentsOf: ready)
        }
        durable.close()
    }

    /// Those whose blobs are safe; the others are answered.
    private func makeDurable(_ batch: [Submission]) async -> [Submission] {
        let staged = batch.compactMap(\.record.staged)
        guard !staged.isEmpty else { return batch }
        return Self.settle(batch, await blobs.makeDurable(staged))
    }

    /// Those whose blobs are safe, with their locations; the others are answered.
    private static func settle(
        _ batch: [Submission], _ results: [Result<BlobLocation, BlobError>]
    ) -> [Submission] {
        var results = results[...]
        var ready: [Submission] = []
        ready.reserveCapacity(batch.count)
        for var submission in batch {
            guard submission.record.staged != nil else {
                ready.append(submission)
                continue
            }
            switch results.popFirst() {
            case .success(let location):
                submission.record.staged = nil
                submission.record.setLocation(location)
                ready.append(submission)
            case .failure(let error):
                submission.answer.resume(returning: .failed(RefusalCause(storageError: error), .nothing))
            case nil:
                submission.answer.resume(returning: .failed(.internalFailure, .doubtfulBlob))
            }
        }
        return ready
    }

    // MARK: - Second stage

    private func commit() async {
        while true {
            let batch = await durable.take(upTo: batchLimit)
            guard !batch.isEmpty else { return }
            await commit(batch[...])
        }
    }

    /// Commits all in one transaction. If a record is to blame for a failure, the others must not suffer: the batch
    /// is halved until it is found.
    private func commit(_ batch: ArraySlice<Submission>, attempt: Int = 1) async {
        let records = batch.map(\.record)
        let writer = writer
        do {
            let decisions = try await database.write { transaction in
                try writer.write(records, in: transaction)
            }
            answer(Array(batch), decisions)
        } catch {
            switch DatabaseFailure(error) {
            case .again where attempt < Self.attempts:
                await commit(batch, attempt: attempt + 1)
            case .ofRecord where batch.count > 1:
                let middle = batch.startIndex + batch.count / 2
                await commit(batch[..<middle])
                await commit(batch[middle...])
            case let failure:
                for submission in batch {
                    submission.answer.resume(
                        returning: .failed(
                            failure.cause,
                            failure.isOutcomeUnknown ? .doubtfulBlob : .durableBlob(submission.record.location)))
                }
            }
        }
    }

    /// How often a transaction runs that collides with others.
    private static let attempts = 5
}
