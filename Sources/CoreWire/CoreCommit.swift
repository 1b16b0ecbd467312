package import Archive
import BlobStorage
import DICOMCore
import FoundationEssentials
package import Ingestion
import NIOCore
import NIOHTTP1
import Synchronization

/// Commits by telling the event processor: each instance as an `ImageStoredEvent`, those of one commit together where the
/// processor is ours. The answer comes when the processor has committed.
package struct CoreCommit: CommitStage {
    /// What the events say of this process.
    package struct Identity: Hashable, Sendable {
        /// The `source` of events.
        package var source: String
        package var provider: String
        package var bucketName: String?
        package var wadoInternalEndpoint: String?
        package var wadoExternalEndpoint: String?

        package init(
            source: String, provider: String, bucketName: String?, wadoInternalEndpoint: String?,
            wadoExternalEndpoint: String?
        ) {
            self.source = source
            self.provider = provider
            self.bucketName = bucketName
            self.wadoInternalEndpoint = wadoInternalEndpoint
            self.wadoExternalEndpoint = wadoExternalEndpoint
        }
    }

    /// Until when the sink gets no batches, because it has said that it takes none.
    private final class Habits: Sendable {
        private let singlesUntil = Mutex(ContinuousClock.now)

        var takesBatches: Bool { singlesUntil.withLock { $0 <= .now } }

        func refusedBatch() { singlesUntil.withLock { $0 = .now + .seconds(60) } }
    }

    private let sink: CoreConnection
    private let identity: Identity
    private let batchBytes: Int
    private let habits = Habits()

    /// - Parameter batchBytes: longer batches are sent in pieces.
    package init(sink: CoreConnection, identity: Identity, batchBytes: Int = 8 << 20) {
        self.sink = sink
        self.identity = identity
        self.batchBytes = batchBytes
    }

    package func commit(_ records: [CommitRecord]) async -> [CommitAnswer] {
        var answers: [CommitAnswer] = []
        answers.reserveCapacity(records.count)
        var batch: [OutgoingEvent] = []
        var length = 0
        for record in records {
            let event: OutgoingEvent
            do {
                event = try OutgoingEvent(record, from: identity)
            } catch {
                answers += await send(batch)
                batch = []
                answers.append(.failed(.internalFailure, isOutcomeUnknown: false))
                continue
            }
            if !batch.isEmpty, length + event.data.count > batchBytes {
                answers += await send(batch)
                (batch, length) = ([], 0)
            }
            batch.append(event)
            length += event.data.count
        }
        answers += await send(batch)
        return answers
    }

    package func rehearse(_ storing: CommitRecord.Storing, time: Int64) async throws -> StoreDecision {
        let event = try OutgoingEvent(rehearsing: storing, time: time, from: identity)
        let answers = await send([event])
        switch answers.first {
        case .decided(let decision): return decision
        case .failed(let cause, _): throw CommitFailure(cause)
        case .noted, nil: throw CommitFailure(.internalFailure)
        }
    }

    // MARK: - Sending

    private func send(_ batch: [OutgoingEvent]) async -> [CommitAnswer] {
        guard !batch.isEmpty else { return [] }
        if habits.takesBatches, let answers = await sendTogether(batch) { return answers }
        var answers: [CommitAnswer] = []
        for event in batch { answers.append(await sendAlone(event)) }
        return answers
    }

    /// `nil` when the sink takes no batches.
    private func sendTogether(_ batch: [OutgoingEvent]) async -> [CommitAnswer]? {
        var body = ByteBuffer()
        for (index, event) in batch.enumerated() {
            body.writeInteger(UInt8(ascii: index == 0 ? "[" : ","))
            body.writeBytes(event.structured(from: identity.source))
        }
        body.writeInteger(UInt8(ascii: "]"))
        let answer: CoreConnection.Answer
        do {
            answer = try await sink.send(.POST, "/", fields: [("content-type", EventMode.batch)], body: body)
        } catch {
            return batch.map { _ in Self.failure(error) }
        }
        switch answer.status {
        case 200..<300:
            let list = try? JSONDecoder().decode(DecisionList.self, from: Data(answer.body.readableBytesView))
            guard let list, list.version == CommitMessage.version, list.decisions.count == batch.count else {
                // Somebody took the batch who makes no decisions.
                return batch.map { $0.accepted }
            }
            return list.decisions.map { $0.answer ?? .failed(.internalFailure, isOutcomeUnknown: true) }
        case 400..<500 where answer.field(QueryField.wire) != nil && batch.count > 1:
            // A processor of ours: one of them is to blame, the others must not suffer.
            var answers: [CommitAnswer] = []
            for event in batch { answers += await sendTogether([event]) ?? [] }
            return answers
        case 400, 404, 405, 406, 415, 501:
            guard answer.field(QueryField.wire) == nil else { break }
            habits.refusedBatch()
            return nil
        default: break
        }
        return batch.map { _ in Self.failure(answer.status) }
    }

    private func sendAlone(_ event: OutgoingEvent) async -> CommitAnswer {
        // An audit record is nothing to a processor that is not ours.
        guard event.isInstance else { return .noted }
        do {
            let answer = try await sink.send(
                .POST, "/",
                fields: [
                    ("content-type", EventMode.binary), ("ce-specversion", "1.0"), ("ce-id", event.id),
                    ("ce-type", event.type), ("ce-source", identity.source),
                ], body: ByteBuffer(bytes: event.data))
            guard (200..<300).contains(answer.status) else { return Self.failure(answer.status) }
            let available = try? JSONDecoder().decode(
                DicomAvailableEvent.self, from: Data(answer.body.readableBytesView))
            guard let decision = available?.gantry else { return event.accepted }
            return decision.answer ?? .failed(.internalFailure, isOutcomeUnknown: true)
        } catch {
            return Self.failure(error)
        }
    }

    private static func failure(_ status: Int) -> CommitAnswer {
        switch status {
        case 507: .failed(.outOfSpace, isOutcomeUnknown: false)
        case 429, 503: .failed(.backendDown, isOutcomeUnknown: false)
        case 500...: .failed(.backendDown, isOutcomeUnknown: true)
        default: .failed(.internalFailure, isOutcomeUnknown: false)
        }
    }

    private static func failure(_ error: any Error) -> CommitAnswer {
        .failed(.backendDown, isOutcomeUnknown: error as? CoreConnection.Failure != .unreachable)
    }
}

/// One event, ready to be sent.
private struct OutgoingEvent {
    let id: String
    let type: String
    let isInstance: Bool
    let data: [UInt8]

    private static let encoder: JSONEncoder = {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }()

    init(_ record: CommitRecord, from identity: CoreCommit.Identity) throws {
        let instance: CheckedInstance? = if case .store(let storing) = record.content { storing.instance } else { nil }
        try self.init(
            CommitMessage(record), of: instance, at: record.location?.objectName, time: record.time, from: identity)
    }

    init(
        rehearsing storing: CommitRecord.Storing, time: Int64, from identity: CoreCommit.Identity
    ) throws {
        try self.init(
            CommitMessage(rehearsing: storing, time: time), of: storing.instance, at: nil, time: time, from: identity)
    }

    private init(
        _ message: CommitMessage, of instance: CheckedInstance?, at objectName: String?, time: Int64,
        from identity: CoreCommit.Identity
    ) throws {
        let event = ImageStoredEvent(
            image: instance.map {
                ImageStoredEvent.Image(
                    transferSyntaxUID: $0.file.transferSyntaxUID, elements: ListedElements.list($0.file.dataSet))
            },
            store: ImageStoredEvent.Store(
                provider: identity.provider, bucketName: identity.bucketName, objectName: objectName,
                wadoInternalEndpoint: identity.wadoInternalEndpoint,
                wadoExternalEndpoint: identity.wadoExternalEndpoint),
            gantry: message)
        id = UUID().uuidString.lowercased()
        // Only what is stored is announced as stored.
        let isRehearsal = message.isRehearsal == true
        isInstance = instance != nil && !isRehearsal
        type =
            instance == nil
            ? CommitMessage.refusalType
            : isRehearsal ? CommitMessage.rehearsalType : ImageStoredEvent.type
        data = Array(try Self.encoder.encode(event))
    }

    /// The answer of a processor that takes events and makes no decisions.
    var accepted: CommitAnswer {
        switch type {
        case ImageStoredEvent.type:
            .decided(.stored(StoreNotes(patientDiffers: false, isNewStudy: false, change: 0)))
        case CommitMessage.refusalType: .noted
        default: .failed(.internalFailure, isOutcomeUnknown: false)
        }
    }

    /// The event in the JSON event format.
    func structured(from source: String) -> [UInt8] {
        var text: [UInt8] = Array(#"{"specversion":"1.0","id":""#.utf8)
        text += id.utf8
        text += #"","source":"#.utf8
        text += (try? Array(Self.encoder.encode(source))) ?? Array(#""""#.utf8)
        text += #","type":""#.utf8
        text += type.utf8
        text += #"","datacontenttype":"application/json","data":"#.utf8
        text += data
        text.append(0x7D)
        return text
    }
}
