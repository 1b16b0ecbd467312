package import Archive
import SQLStorage

/// Commits to a database.
package struct DatabaseCommit: CommitStage {
    let database: any SQLDatabase
    let writer: CommitWriter

    /// How often a transaction runs that collides with others.
    private static let attempts = 5

    package var onOwnThread: DatabaseCommit? { self }

    package func commit(_ records: [CommitRecord]) async -> [CommitAnswer] {
        var answers: [CommitAnswer] = []
        answers.reserveCapacity(records.count)
        await commit(records[...], attempt: 1, into: &answers)
        return answers
    }

    /// Commits all in one transaction. If a record is to blame for a failure, the others must not suffer: the batch
    /// is halved until it is found.
    private func commit(_ batch: ArraySlice<CommitRecord>, attempt: Int, into answers: inout [CommitAnswer]) async {
        let (writer, records) = (writer, Array(batch))
        do {
            let decisions = try await database.write { transaction in
                try writer.write(records, in: transaction)
            }
            answers += decisions.map { $0.map { .decided($0) } ?? .noted }
        } catch {
            switch DatabaseFailure(error) {
            case .again where attempt < Self.attempts:
                await commit(batch, attempt: attempt + 1, into: &answers)
            case .ofRecord where batch.count > 1:
                let middle = batch.startIndex + batch.count / 2
                await commit(batch[..<middle], attempt: 1, into: &answers)
                await commit(batch[middle...], attempt: 1, into: &answers)
            case let failure:
                let answer = CommitAnswer.failed(failure.cause, isOutcomeUnknown: failure.isOutcomeUnknown)
                answers += batch.map { _ in answer }
            }
        }
    }

    /// Runs the index's own decision in a transaction that is rolled back.
    package func rehearse(_ storing: CommitRecord.Storing, time: Int64) async throws -> StoreDecision {
        struct Rehearsed: Error { var decision: StoreDecision }
        let index = writer.index
        do {
            return try await database.write { transaction -> StoreDecision in
                throw Rehearsed(
                    decision: try index.store(
                        storing.entry, comparison: storing.comparison, now: time, in: transaction))
            }
        } catch let rehearsed as Rehearsed {
            return rehearsed.decision
        }
    }
}
