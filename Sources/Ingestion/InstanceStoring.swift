import Archive
import BlobStorage
import DICOMCore
import Messaging

/// The last stage for one instance: through the commit queue, with a comparison of data sets where the index asks
/// for one.
struct InstanceStoring {
    let instance: CheckedInstance
    let entry: IndexEntry
    let length: Int
    let time: Int64
    let blobs: any BlobStore
    let stage: any CommitStage
    let queue: CommitQueue
    let eventSource: String

    /// How often the stored version may change while we compare with it: as often as others may be storing the same
    /// instance at a time.
    private static let attempts = 256

    init(
        instance: CheckedInstance, length: Int, time: Int64, blobs: any BlobStore, stage: any CommitStage,
        queue: CommitQueue, eventSource: String
    ) {
        self.instance = instance
        self.length = length
        self.time = time
        self.blobs = blobs
        self.stage = stage
        self.queue = queue
        self.eventSource = eventSource
        let file = instance.file
        entry = IndexEntry(
            file: file, blob: Self.nowhere, digest: instance.blob.digest, identity: instance.identity,
            receivedAt: instance.receivedAt)
    }

    /// Stands for the location until the blob is durable.
    private static let nowhere = BlobLocation(.memory(0), length: 0)

    private var identity: PartialIdentity { PartialIdentity(instance.identity) }

    /// What is to be handed to the commit queue.
    var record: CommitRecord {
        CommitRecord(
            content: .store(storing(comparison: nil)), staged: instance.blob, origin: instance.origin,
            byteCount: length, time: time)
    }

    /// Tidies up behind the queue's answer to `record`. Where the index asks for a comparison, it gets one, and the
    /// queue is asked again.
    func outcome(of answer: CommitQueue.Answer, to record: CommitRecord) async -> IngestionOutcome {
        var (answer, record) = (answer, record)
        for _ in 0..<Self.attempts {
            switch answer {
            case .failed(let cause, let remains):
                switch remains {
                case .nothing, .doubtfulBlob: break
                case .stagedBlob: await blobs.discard([instance.blob])
                case .durableBlob(let location): await delete(location)
                }
                return .refused(cause, identity: identity)
            case .decided(.needsComparison(let held), let location):
                guard let location else { return .refused(.internalFailure, identity: identity) }
                do {
                    let blobs = blobs
                    let comparison = try await compare(with: held) { try await blobs.read(location, $0) }
                    record.content = .store(storing(comparison: comparison))
                    record.staged = nil
                    record.setLocation(location)
                } catch {
                    await delete(location)
                    return .refused(RefusalCause(storageError: error), identity: identity)
                }
                answer = await queue.submit(record)
            case .decided(let decision, let location):
                await tidyUp(after: decision, location)
                return outcome(of: decision)
            case .noted:
                return .refused(.internalFailure, identity: identity)
            }
        }
        await delete(record.location)
        return .refused(.internalFailure, identity: identity)
    }

    /// Gives the verdict that storing would give, and leaves everything as it was.
    func rehearse() async -> IngestionOutcome {
        let outcome: IngestionOutcome
        do {
            var decision = try await stage.rehearse(storing(comparison: nil), time: time)
            if case .needsComparison(let held) = decision {
                let (blobs, blob) = (blobs, instance.blob)
                let comparison = try await compare(with: held) { try await blobs.read(blob, $0) }
                decision = try await stage.rehearse(storing(comparison: comparison), time: time)
            }
            outcome = self.outcome(of: decision)
        } catch {
            outcome = .refused(RefusalCause(storageError: error), identity: identity)
        }
        await blobs.discard([instance.blob])
        return outcome
    }

    private func storing(comparison: DataSetComparison?) -> CommitRecord.Storing {
        CommitRecord.Storing(
            entry: entry, instance: instance, comparison: comparison,
            event: IngestionEvents.stored(instance, source: eventSource, time: time))
    }

    /// The bytes that the index named a moment ago are not there any more.
    private struct HeldVersionIsGone: Error {}

    /// Compares with the version that is held, without group 0002 (D-11).
    private func compare(
        with held: StoredInstance, own: DataSetComparing.Read
    ) async throws -> DataSetComparison {
        guard held.transferSyntaxUID == entry.transferSyntaxUID, held.dataSetOffset <= held.length,
            entry.dataSetOffset <= entry.length
        else { return DataSetComparison(storedDigest: held.digest, isSame: false) }
        let (blobs, location) = (blobs, held.location)
        let isSame: Bool
        do {
            isSame = try await DataSetComparing.areEqual(
                entry.dataSetOffset..<entry.length, by: own,
                held.dataSetOffset..<held.length,
                by: { range in
                    do {
                        return try await blobs.read(location, range)
                    } catch let error as BlobError where error.code == .notFound {
                        throw HeldVersionIsGone()
                    }
                })
        } catch is HeldVersionIsGone {
            // Replaced meanwhile: the index sees that it was another one, and asks again.
            isSame = false
        }
        return DataSetComparison(storedDigest: held.digest, isSame: isSame)
    }

    /// Deletes the bytes that nothing refers to any more.
    private func tidyUp(after decision: StoreDecision, _ location: BlobLocation?) async {
        switch decision {
        case .stored, .needsComparison: break
        case .identical(let held):
            if held != location { await delete(location) }
        case .conflict: await delete(location)
        case .replaced(let previous, _): await delete(previous)
        }
    }

    /// Deletes a blob. One that cannot be deleted now is an orphan, which the sweep finds.
    private func delete(_ location: BlobLocation?) async {
        guard let location else { return }
        try? await blobs.delete([location])
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
