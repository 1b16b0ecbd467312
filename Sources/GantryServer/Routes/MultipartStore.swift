import DICOMCore
import DICOMWeb
import Ingestion
import NIOCore

/// Reads a `multipart/related` store request and gives each part to ingestion (PS3.18 10.5.1, dicomweb.md 3.2).
///
/// Large parts are handed over as soon as they are complete, small ones together with those behind them, so that parts
/// of one request are committed together.
struct MultipartStore {
    let pipeline: IngestionPipeline
    let origin: IngestionOrigin
    let isDryRun: Bool
    let partLimits: PartLimits
    let base: String

    /// The outcomes in the order of the parts.
    func outcomes(
        of body: LimitedBody, boundary: MultipartBoundary, payload: StoreContentType.Payload
    ) async throws -> [IngestionOutcome] {
        try await withThrowingTaskGroup(of: [(Int, [IngestionOutcome])].self) { group in
            var parser = MultipartRelatedParser(boundary: boundary, limits: partLimits)
            var parts = PartReader(store: self, payload: payload)
            do {
                for try await chunk in body {
                    var offset = 0
                    while let event = try chunk.withUnsafeReadableBytes({ bytes throws in
                        try parser.next(in: bytes, from: &offset)
                    }) {
                        try await parts.take(event, of: chunk, into: &group)
                    }
                }
                try await parts.end(parser.finish(), into: &group)
            } catch {
                await parts.abandon()
                parts.ingestComplete(into: &group)
                if let error = error as? MultipartError { throw Self.problem(error) }
                throw error
            }
            var outcomes = [[IngestionOutcome]](repeating: [], count: parts.count)
            for (index, last) in await parts.ingestLast() { outcomes[index] = [last] }
            for try await parts in group {
                for (index, part) in parts { outcomes[index] = part }
            }
            return outcomes.flatMap(\.self)
        }
    }

    fileprivate func ingest(
        _ parts: [(index: Int, part: ReceivedInstance)]
    ) async -> [(index: Int, outcome: IngestionOutcome)] {
        let outcomes = await pipeline.ingest(parts.map(\.part), dryRun: isDryRun)
        return zip(parts, outcomes).map { ($0.index, $1) }
    }

    private static func problem(_ error: MultipartError) -> Problem {
        switch error.code {
        case .tooManyParts(let limit):
            var problem = Problem(.tooLarge, "A request may have \(limit) parts.")
            problem.closesConnection = true
            return problem
        }
    }
}

/// What is being received of one request's parts.
private struct PartReader {
    private enum Current {
        case none
        case instance(InstanceReceiver)
        case refused(RefusalCause)
        case ofMetadata
    }

    private let store: MultipartStore
    private var payload: StoreContentType.Payload
    private var current = Current.none
    private var metadata: MetadataStore?
    private(set) var count = 0
    private var isFirst = true
    /// Parts that ended and are not handed over yet. They are when enough have come together, or by the request's own
    /// task at its end: a task for each would be a change of threads for each.
    private var complete: [(index: Int, part: ReceivedInstance)] = []
    private var completeBytes = 0
    /// What is enough.
    private static let togetherBytes = 128 << 10
    private static let togetherParts = 32

    init(store: MultipartStore, payload: StoreContentType.Payload) {
        self.store = store
        self.payload = payload
    }

    mutating func take(
        _ event: MultipartRelatedParser.Event, of chunk: ByteBuffer,
        into group: inout ThrowingTaskGroup<[(Int, [IngestionOutcome])], any Error>
    ) async throws {
        switch event {
        case .partBegins(let header):
            if completeBytes >= Self.togetherBytes || complete.count >= Self.togetherParts {
                ingestComplete(into: &group)
            }
            try await begin(header)
        case .bytes(let range):
            guard let bytes = chunk.getSlice(at: chunk.readerIndex + range.lowerBound, length: range.count) else {
                return
            }
            try await write(bytes)
        case .heldBytes(let bytes): try await write(ByteBuffer(bytes: bytes))
        case .partEnds: try await endPart(into: &group)
        }
    }

    /// The body is over; a part without its delimiter is taken when it is complete in itself (dicomweb.md D-14).
    mutating func end(
        _ ending: MultipartRelatedParser.Ending,
        into group: inout ThrowingTaskGroup<[(Int, [IngestionOutcome])], any Error>
    ) async throws {
        switch ending {
        case .closed, .empty, .beforePart: break
        case .noDelimiter:
            throw Problem(.invalidBody, "The body does not contain the boundary that the Content-Type names.")
        case .insidePart(let heldBytes):
            if !heldBytes.isEmpty { try await write(ByteBuffer(bytes: heldBytes)) }
            try await endPart(into: &group)
        }
        if let outcomes = await metadata?.finish() {
            let index = count
            count += 1
            group.addTask { [(index, outcomes)] }
        }
    }

    /// Ingests the parts that have come together, while the next one is received.
    mutating func ingestComplete(into group: inout ThrowingTaskGroup<[(Int, [IngestionOutcome])], any Error>) {
        let parts = takeComplete()
        guard !parts.isEmpty else { return }
        let store = store
        group.addTask { await store.ingest(parts).map { ($0.index, [$0.outcome]) } }
    }

    /// Ingests what is left at the end of the request.
    mutating func ingestLast() async -> [(index: Int, outcome: IngestionOutcome)] {
        await store.ingest(takeComplete())
    }

    private mutating func takeComplete() -> [(index: Int, part: ReceivedInstance)] {
        defer {
            complete = []
            completeBytes = 0
        }
        return complete
    }

    /// Gives up the part at hand: the sender is gone or the request is refused as a whole.
    mutating func abandon() async {
        if case .instance(var receiver) = current { await receiver.abandon() }
        current = .none
        await metadata?.abandon()
    }

    private mutating func begin(_ header: PartHeader) async throws {
        if isFirst { payload = try payload.resolved(firstPart: header) }
        let role = payload.role(of: header, isFirst: isFirst)
        isFirst = false
        if header.problem != nil {
            current = .refused(.partMalformed)
            return
        }
        switch role {
        case .instance:
            current = .instance(await store.pipeline.receive(expectedLength: nil, origin: store.origin))
        case .foreign:
            current = .refused(.notDICOM(offset: 0))
        case .metadata, .bulkData:
            if metadata == nil {
                metadata = MetadataStore(
                    pipeline: store.pipeline, origin: store.origin, isDryRun: store.isDryRun,
                    isXML: payload == .dicomXML, base: store.base)
            }
            await metadata?.begin(header, isMetadata: role == .metadata)
            current = .ofMetadata
        }
    }

    private mutating func write(_ bytes: ByteBuffer) async throws {
        switch current {
        case .instance(var receiver):
            await receiver.write(bytes)
            current = .instance(receiver)
        case .ofMetadata: try await metadata?.write(bytes)
        case .refused, .none: break
        }
    }

    private mutating func endPart(
        into group: inout ThrowingTaskGroup<[(Int, [IngestionOutcome])], any Error>
    ) async throws {
        defer { current = .none }
        let index = count
        switch current {
        case .instance(var receiver):
            let received = await receiver.finish()
            completeBytes += received.length
            complete.append((index, received))
            count += 1
        case .refused(let cause):
            count += 1
            group.addTask { [(index, [.refused(cause, identity: nil)])] }
        case .ofMetadata: try await metadata?.endPart()
        case .none: break
        }
    }
}
