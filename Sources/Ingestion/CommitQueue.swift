import Archive
import BlobStorage
import SQLStorage
import Synchronization

/// Group commit: whatever is ready while a commit runs goes into the next one (reliability.md D.2, rule 1).
///
/// First the blobs of a batch are made durable in one act, then the rows of all durable instances, events and audit
/// records are written in one transaction. Answers are given after that. Where the blobs' medium is asked over a
/// network, both work at the same time, each on its own batch, and so do several acts of the first kind: one that has
/// to be tried again does not hold back the others.
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
        let answers: PendingAnswers
        let index: Int

        /// Called once.
        func answer(_ answer: Answer) { answers.set(answer, at: index) }
    }

    private let blobs: (any BlobStore)?
    private let stage: any CommitStage
    private let batchLimit: Int
    private let staged: Handoff<Submission>
    private let durable: Handoff<Submission>
    /// Batches whose transaction failed after their blobs were safe.
    private let failed = Handoff<[Submission]>(capacity: .max)
    private let act: (database: DatabaseCommit, blockingCommit: BlockingCommit)?
    /// Whether an act is under way or waits for the database's thread.
    private let isActing = Atomic(false)

    private typealias BlockingCommit = @Sendable ([StagedBlob]) -> [Result<BlobLocation, BlobError>]

    /// - Parameter blobs: where staged blobs are made durable; `nil` when all that is submitted has durable ones.
    init(blobs: (any BlobStore)?, stage: any CommitStage, capacity: Int, batchLimit: Int) {
        self.blobs = blobs
        self.stage = stage
        self.batchLimit = max(batchLimit, 1)
        if let database = stage.onOwnThread, let blockingCommit = blobs?.blockingCommit {
            act = (database, blockingCommit)
        } else {
            act = nil
        }
        staged = Handoff(capacity: capacity)
        durable = Handoff(capacity: 2 * max(batchLimit, 1))
    }

    /// Waits until the queue is short enough for another instance to be received.
    func room() async { await staged.room() }

    /// Hands instances over, to be committed together where they can be, and waits for their answers. Cancelling the
    /// caller's task takes nothing back.
    func submit(_ records: [CommitRecord]) async -> [Answer] {
        guard !records.isEmpty else { return [] }
        return await withCheckedContinuation { continuation in
            let answers = PendingAnswers(count: records.count, continuation)
            let submissions = records.enumerated().map { Submission(record: $1, answers: answers, index: $0) }
            guard staged.put(contentsOf: submissions) else {
                for submission in submissions { submission.answer(.failed(.backendDown, .stagedBlob)) }
                return
            }
            if let act { begin(act) }
        }
    }

    /// Hands one instance over and waits for the answer.
    func submit(_ record: CommitRecord) async -> Answer {
        await submit([record]).first ?? .failed(.internalFailure, .doubtfulBlob)
    }

    /// Takes no more submissions. Those that are in are committed, then `run` returns.
    func close() {
        staged.close()
        closeFailedWhenDone()
    }

    /// Does the work until `close`.
    func run() async {
        guard act == nil else {
            // Acts run on the database's thread; what they could not commit as a whole is sorted out here.
            while let batch = await failed.take(upTo: 1).first { await commit(batch) }
            return
        }
        await withDiscardingTaskGroup { group in
            group.addTask {
                await withDiscardingTaskGroup { acts in
                    for _ in 0..<Self.durableActs { acts.addTask { await self.makeDurable() } }
                }
                self.durable.close()
            }
            group.addTask { await self.commit() }
        }
    }

    // MARK: - Both stages in one act

    /// What the database's thread has got of a batch: all of it, and those whose blobs are safe.
    private final class Progress: Sendable {
        let batch = Mutex<(taken: [Submission], ready: [Submission]?)>(([], nil))
    }

    /// Where blobs are made durable by blocking, the thread that writes the rows does both: each change of threads
    /// costs more than a small instance does. The order is the same: blobs first, rows second. The batch is what is
    /// there when the thread gets to it; one act waits at most.
    private func begin(_ act: (database: DatabaseCommit, blockingCommit: BlockingCommit)) {
        guard !isActing.exchange(true, ordering: .acquiringAndReleasing) else { return }
        let progress = Progress()
        let writer = act.database.writer
        act.database.database.write { [self] transaction in
            let ready = progress.batch.withLock { batch in
                if batch.ready == nil {
                    batch.taken = staged.takeNow(upTo: batchLimit).elements
                    batch.ready = Self.settle(
                        batch.taken, act.blockingCommit(batch.taken.compactMap(\.record.staged)))
                }
                return batch.ready ?? []
            }
            return try writer.write(ready.map(\.record), in: transaction)
        } completion: { [self] result in
            let batch = progress.batch.withLock { $0 }
            switch result {
            case .success(let decisions): answer(batch.ready ?? [], decisions)
            case .failure(let error): fail(batch, error)
            }
            isActing.store(false, ordering: .releasing)
            if !staged.status.isEmpty { begin(act) } else { closeFailedWhenDone() }
        }
    }

    private func fail(_ batch: (taken: [Submission], ready: [Submission]?), _ error: any Error) {
        // The blobs are safe; what is to blame for the failure is found as ever.
        if let ready = batch.ready { return _ = failed.put(ready) }
        // The transaction did not even begin: nothing was taken out of the queue.
        let cause = DatabaseFailure(error).cause
        for submission in staged.takeNow(upTo: batchLimit).elements {
            submission.answer(
                .failed(cause, submission.record.staged == nil ? .nothing : .stagedBlob))
        }
    }

    private func closeFailedWhenDone() {
        let status = staged.status
        if status.isClosed, status.isEmpty, !isActing.load(ordering: .acquiring) { failed.close() }
    }

    private func answer(_ batch: [Submission], _ decisions: [StoreDecision?]) {
        for (submission, decision) in zip(batch, decisions) {
            submission.answer(
                decision.map { .decided($0, at: submission.record.location) } ?? .noted)
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
    }

    /// How many batches are made durable at the same time, over a network.
    private static let durableActs = 4

    /// Those whose blobs are safe; the others are answered.
    private func makeDurable(_ batch: [Submission]) async -> [Submission] {
        let staged = batch.compactMap(\.record.staged)
        guard !staged.isEmpty, let blobs else { return batch }
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
                submission.answer(.failed(RefusalCause(storageError: error), .nothing))
            case nil:
                submission.answer(.failed(.internalFailure, .doubtfulBlob))
            }
        }
        return ready
    }

    // MARK: - Second stage

    private func commit() async {
        while true {
            let batch = await durable.take(upTo: batchLimit)
            guard !batch.isEmpty else { return }
            await commit(batch)
        }
    }

    private func commit(_ batch: [Submission]) async {
        let answers = await stage.commit(batch.map(\.record))
        for (index, submission) in batch.enumerated() {
            switch index < answers.count ? answers[index] : .failed(.internalFailure, isOutcomeUnknown: true) {
            case .decided(let decision): submission.answer(.decided(decision, at: submission.record.location))
            case .noted: submission.answer(.noted)
            case .failed(let cause, let isOutcomeUnknown):
                submission.answer(
                    .failed(cause, isOutcomeUnknown ? .doubtfulBlob : .durableBlob(submission.record.location)))
            }
        }
    }
}
