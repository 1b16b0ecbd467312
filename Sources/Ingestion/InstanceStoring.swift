import Archive
import BlobStorage
import DICOMCore
import DICOMPixels
import Messaging
import SQLStorage

/// The last stage for one instance: through the commit queue, with a comparison of data sets where the index asks
/// for one.
struct InstanceStoring {
    let instance: CheckedInstance
    let entry: IndexEntry
    let length: Int
    let time: Int64
    let blobs: any BlobStore
    let database: any SQLDatabase
    let index: ArchiveIndex
    let queue: CommitQueue

    /// How often the stored version may change while we compare with it.
    private static let attempts = 4

    init(
        instance: CheckedInstance, length: Int, time: Int64, blobs: any BlobStore, database: any SQLDatabase,
        index: ArchiveIndex, queue: CommitQueue
    ) {
        self.instance = instance
        self.length = length
        self.time = time
        self.blobs = blobs
        self.database = database
        self.index = index
        self.queue = queue
        let file = instance.file
        entry = IndexEntry(
            file: file, blob: instance.blob.location, digest: instance.blob.digest, identity: instance.identity,
            frameLayout: FrameLayout(dataSet: file.dataSet, transferSyntax: file.transferSyntax)?.encoded() ?? [],
            receivedAt: instance.receivedAt)
    }

    private var identity: PartialIdentity { PartialIdentity(instance.identity) }

    /// Stores the instance and tidies up behind it.
    func store() async -> IngestionOutcome {
        var record = CommitRecord(
            content: .store(storing(comparison: nil)), staged: instance.blob, origin: instance.origin,
            byteCount: length, auditID: UUIDv7(milliseconds: time), time: time)
        for _ in 0..<Self.attempts {
            switch await queue.submit(record) {
            case .failed(let cause, let remains):
                switch remains {
                case .nothing, .doubtfulBlob: break
                case .stagedBlob: await blobs.discard([instance.blob])
                case .durableBlob: await delete([instance.blob.location])
                }
                return .refused(cause, identity: identity)
            case .decided(.needsComparison(let held)):
                do {
                    record.content = .store(storing(comparison: try await compare(with: held)))
                    record.staged = nil
                } catch {
                    await delete([instance.blob.location])
                    return .refused(RefusalCause(storageError: error), identity: identity)
                }
            case .decided(let decision):
                await tidyUp(after: decision)
                return outcome(of: decision)
            case .noted:
                return .refused(.internalFailure, identity: identity)
            }
        }
        await delete([instance.blob.location])
        return .refused(.internalFailure, identity: identity)
    }

    /// Gives the verdict that storing would give, and leaves everything as it was.
    func rehearse() async -> IngestionOutcome {
        do {
            var decision = try await rehearse(comparison: nil)
            guard case .needsComparison(let held) = decision else {
                await blobs.discard([instance.blob])
                return outcome(of: decision)
            }
            // Only a blob at its location can be read.
            try await blobs.makeDurable([instance.blob])
            decision = try await rehearse(comparison: try await compare(with: held))
            await delete([instance.blob.location])
            return outcome(of: decision)
        } catch {
            await blobs.discard([instance.blob])
            return .refused(DatabaseFailure(error).cause, identity: identity)
        }
    }

    /// Runs the index's own decision in a transaction that is rolled back.
    private func rehearse(comparison: DataSetComparison?) async throws -> StoreDecision {
        struct Rehearsed: Error { var decision: StoreDecision }
        let (entry, index, time) = (entry, index, time)
        do {
            return try await database.write { transaction -> StoreDecision in
                throw Rehearsed(
                    decision: try index.store(entry, comparison: comparison, now: time, in: transaction))
            }
        } catch let rehearsed as Rehearsed {
            return rehearsed.decision
        }
    }

    private func storing(comparison: DataSetComparison?) -> CommitRecord.Storing {
        CommitRecord.Storing(
            entry: entry, instance: instance, comparison: comparison, eventID: UUIDv7(milliseconds: time),
            eventData: IngestionEvents.data(of: instance))
    }

    /// Compares with the version that is held, without group 0002 (D-11). Our blob is durable by now.
    private func compare(with held: StoredInstance) async throws -> DataSetComparison {
        guard held.transferSyntaxUID == instance.file.transferSyntaxUID else {
            return DataSetComparison(storedDigest: held.digest, isSame: false)
        }
        let isSame = try await DataSetComparing(blobs: blobs).areEqual(
            held.location, held.dataSetOffset..<held.length,
            instance.blob.location, entry.dataSetOffset..<entry.length)
        return DataSetComparison(storedDigest: held.digest, isSame: isSame)
    }

    /// Deletes the bytes that nothing refers to any more.
    private func tidyUp(after decision: StoreDecision) async {
        switch decision {
        case .stored, .needsComparison: break
        case .identical, .conflict: await delete([instance.blob.location])
        case .replaced(let previous, _): await delete([previous])
        }
    }

    /// Deletes blobs. One that cannot be deleted now is an orphan, which the sweep finds.
    private func delete(_ locations: [BlobLocation]) async {
        try? await blobs.delete(locations)
    }

    private func outcome(of decision: StoreDecision) -> IngestionOutcome {
        switch decision {
        case .stored(let notes), .replaced(_, let notes):
            .stored(
                instance.identity, warning: instance.warning ?? (notes.patientDiffers ? .patientDiffers : nil),
                isDuplicate: false)
        case .identical: .stored(instance.identity, warning: duplicateWarning, isDuplicate: true)
        case .conflict(let conflict): .refused(RefusalCause(conflict), identity: identity)
        case .needsComparison: .refused(.internalFailure, identity: identity)
        }
    }

    /// D-11: an identical instance is a success without warning, except that it still is in another study than asked.
    private var duplicateWarning: IngestionWarning? {
        instance.warning == .studyMismatch ? .studyMismatch : nil
    }
}
