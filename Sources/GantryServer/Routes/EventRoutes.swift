import Archive
import BlobStorage
import CoreWire
import DICOMCore
import FoundationEssentials
import HTTPTypes
import Hummingbird
import Ingestion
import NIOCore

/// The event processor: takes `ImageStoredEvent`s one by one (binary or structured mode) or together (batch), writes the
/// index, and answers when it is written. What cannot be done is answered with an error, so that a broker tries again.
struct EventRoutes: Sendable {
    let intake: CommitIntake
    let budget: ByteBudget
    /// Whose events are taken.
    let provider: String
    /// The `source` of answers.
    let source: String
    /// Where instances can be had, when the event does not tell.
    let wadoEndpoint: String
    let clock: @Sendable () -> Int64

    func answer(_ request: Request, context: GantryContext) async throws -> Response {
        guard request.method == .post else { throw Routes.methodNotAllowed([.post]) }
        let mediaType = (request.headers[.contentType] ?? "").prefix { $0 != ";" && $0 != " " }.lowercased()
        guard [EventMode.batch, EventMode.structured, EventMode.binary].contains(mediaType) else {
            throw Problem(
                .unsupportedMediaType, "An event is sent as one of these.",
                headers: [
                    .acceptPost: "\(EventMode.binary), \(EventMode.structured), \(EventMode.batch)"
                ])
        }
        let (bytes, reservation) = try await CoreRoutes.body(
            of: request, atMost: EventEnvelope.mostBytes, budget: budget, context: context)
        defer { withExtendedLifetime(reservation) {} }
        let data = Data(bytes.readableBytesView)
        switch mediaType {
        case EventMode.batch:
            let events = try Self.decode([EventEnvelope].self, from: data)
            guard events.count <= EventEnvelope.mostInBatch, !events.isEmpty else {
                throw Problem(.invalidBody, "A batch has 1 to \(EventEnvelope.mostInBatch) events.")
            }
            return try await answer(events.map { try Event($0) })
        case EventMode.structured:
            return try await answer(to: Event(try Self.decode(EventEnvelope.self, from: data)))
        default:
            guard let type = request.headers[.ceType], let version = request.headers[.ceSpecversion],
                request.headers[.ceID] != nil
            else { throw Problem(.invalidHeader, "An event has ce-specversion, ce-id, ce-source and ce-type.") }
            return try await answer(
                to: Event(
                    type: type, version: version, data: try Self.decode(ImageStoredEvent.self, from: data)))
        }
    }

    private static func decode<Wanted: Decodable>(_: Wanted.Type, from data: Data) throws -> Wanted {
        do {
            return try JSONDecoder().decode(Wanted.self, from: data)
        } catch let error as DecodingError {
            throw Problem(.invalidBody, "The event is not what its type says\(error.place).")
        }
    }

    /// An event of a type that is taken.
    private struct Event {
        var isRehearsal: Bool
        var data: ImageStoredEvent

        init(_ envelope: EventEnvelope) throws {
            try self.init(type: envelope.type, version: envelope.specversion, data: envelope.data)
        }

        init(type: String, version: String, data: ImageStoredEvent) throws {
            guard version == "1.0" else { throw Problem(.invalidBody, "The event is not of CloudEvents 1.0.") }
            switch type {
            case ImageStoredEvent.type: isRehearsal = false
            case CommitMessage.refusalType where data.gantry != nil: isRehearsal = false
            case CommitMessage.rehearsalType where data.gantry != nil: isRehearsal = true
            default: throw Problem(.notFound, "Events of this type are not processed.")
            }
            guard (data.gantry?.isRehearsal ?? false) == isRehearsal else {
                throw Problem(.invalidBody, "The event is not what its type says.")
            }
            self.data = data
        }
    }

    // MARK: - Answers

    private func answer(_ events: [Event]) async throws -> Response {
        let decisions = try await decide(events)
        // Only a process of ours can do something with a decision.
        for (event, decision) in zip(events, decisions) where event.data.gantry == nil { try decision.requireHeld() }
        return OperationsRoutes.json(.ok, try Self.encoder.encode(DecisionList(decisions: decisions)).map(\.self))
    }

    private func answer(to event: Event) async throws -> Response {
        guard let decision = try await decide([event]).first else { throw Problem(.internalError, "No decision.") }
        if event.data.gantry == nil { try decision.requireHeld() }
        let identity = event.data.gantry?.entry?.identity ?? event.data.image.flatMap { Self.identity(of: $0) }
        let base = event.data.store.wadoInternalEndpoint ?? wadoEndpoint
        let available = DicomAvailableEvent(
            provider: event.data.store.provider,
            endpoint: decision.isHeld
                ? identity.map { "\(base)/studies/\($0.study)/series/\($0.series)/instances/\($0.instance)" } : nil,
            gantry: event.data.gantry == nil ? nil : decision)
        var response = OperationsRoutes.json(.ok, try Self.encoder.encode(available).map(\.self))
        response.headers[.ceSpecversion] = "1.0"
        response.headers[.ceID] = UUID().uuidString.lowercased()
        response.headers[.ceSource] = source
        response.headers[.ceType] = DicomAvailableEvent.type
        return response
    }

    private static let encoder: JSONEncoder = {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }()

    // MARK: - Decisions

    private func decide(_ events: [Event]) async throws -> [DecisionMessage] {
        let now = clock()
        var records: [CommitRecord] = []
        for event in events { records.append(try record(of: event.data, now: now)) }
        if let event = events.first, event.isRehearsal, events.count == 1 {
            do {
                return [DecisionMessage(try await intake.rehearse(records[0]))]
            } catch let failure as CommitFailure {
                return [DecisionMessage(.failed(failure.cause, isOutcomeUnknown: false))]
            }
        }
        guard !events.contains(where: \.isRehearsal) else {
            throw Problem(.invalidBody, "What is only asked for comes alone.")
        }
        var answers = await intake.commit(records)
        guard answers.count == records.count else { throw Problem(.internalError, "Not all events were decided.") }
        // Another's STOW service can compare nothing: other bytes are other content.
        let open = answers.indices.filter { events[$0].data.gantry == nil && answers[$0].needsComparison != nil }
        if !open.isEmpty {
            let again = open.compactMap { index -> CommitRecord? in
                guard let held = answers[index].needsComparison else { return nil }
                return records[index].compared(DataSetComparison(storedDigest: held.digest, isSame: false))
            }
            for (index, answer) in zip(open, await intake.commit(again)) { answers[index] = answer }
        }
        return answers.map { DecisionMessage($0) }
    }

    private func record(of event: ImageStoredEvent, now: Int64) throws -> CommitRecord {
        guard event.store.provider == provider else {
            throw Problem(.invalidBody, "The event is of another provider.")
        }
        if let message = event.gantry {
            guard let record = try? message.record(in: intake, now: now) else {
                throw Problem(.invalidBody, "The member gantry is not one of this version.")
            }
            return record
        }
        guard let image = event.image, let name = event.store.objectName.flatMap({ ObjectName($0) }) else {
            throw Problem(.invalidBody, "The event names no image, or no object of the bucket.")
        }
        guard let identity = Self.identity(of: image) else {
            throw Problem(.invalidBody, "One of the four UIDs of an instance is missing or malformed.")
        }
        guard UID(image.transferSyntaxUID) != nil else { throw Problem(.invalidBody, "There is no transfer syntax.") }
        let dataSet = ListedElements.dataSet(of: image.elements)
        let entry = IndexEntry(
            unread: dataSet, blob: BlobLocation(.named(name), length: 0), digest: name.digest,
            transferSyntaxUID: image.transferSyntaxUID, identity: identity, receivedAt: now)
        return try intake.record(
            of: entry, dataSet: dataSet, origin: IngestionOrigin(door: .cluster, requestID: "event"), byteCount: 0,
            time: now)
    }

    private static func identity(of image: ImageStoredEvent.Image) -> InstanceIdentity? {
        func uid(_ tag: Tag) -> UID? {
            image.elements.first { $0.tag == tag }?.value.flatMap { UID(trimming: Array($0.utf8)) }
        }
        guard let study = uid(.studyInstanceUID), let series = uid(.seriesInstanceUID),
            let instance = uid(.sopInstanceUID), let sopClass = uid(.sopClassUID)
        else { return nil }
        return InstanceIdentity(study: study, series: series, instance: instance, sopClass: sopClass)
    }
}

extension CommitAnswer {
    fileprivate var needsComparison: StoredInstance? {
        if case .decided(.needsComparison(let held)) = self { held } else { nil }
    }
}

extension DecisionMessage {
    /// An instance that is not held is an error to who sent the event.
    fileprivate func requireHeld() throws {
        guard !isHeld else { return }
        switch outcome {
        case .failed where cause == .outOfSpace: throw Problem(.insufficientStorage, "The index cannot grow.")
        case .failed where cause == .backendDown: throw Problem(.unavailable, "The index does not answer.")
        case .failed: throw Problem(.internalError, "The instance could not be indexed.")
        default:
            throw Problem(.invalidBody, "Another instance is held under this SOP Instance UID.")
        }
    }
}

extension DecodingError {
    /// Where it went wrong: names of members, never a value.
    var place: String {
        let path =
            switch self {
            case .dataCorrupted(let context), .keyNotFound(_, let context), .typeMismatch(_, let context),
                .valueNotFound(_, let context):
                context.codingPath
            @unknown default: [any CodingKey]()
            }
        guard !path.isEmpty else { return "" }
        let names = path.prefix(8).map { $0.intValue.map(String.init) ?? String($0.stringValue.prefix(32)) }
        return ": \(names.joined(separator: "."))"
    }
}

extension HTTPField.Name {
    static let ceType = HTTPField.Name("ce-type")!
    static let ceID = HTTPField.Name("ce-id")!
    static let ceSource = HTTPField.Name("ce-source")!
    static let ceSpecversion = HTTPField.Name("ce-specversion")!
}
