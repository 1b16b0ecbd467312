import Archive
import Audit
import BlobStorage
import CoreWire
import DICOMCore
import DICOMWeb
import FoundationEssentials
import HTTPTypes
import Hummingbird
import Ingestion
import Messaging
import NIOCore

/// The ingestion query endpoint: which objects a study, series or instance has, and searches.
struct QueryRoutes: Sendable {
    let archive: any ArchiveReading
    let budget: ByteBudget
    /// Whose instances there are.
    let provider: String
    /// Where instances can be had from outside, for the addresses in attributes.
    let wadoEndpoint: String
    let maximum: Int
    let timezone: TimezoneOffset
    /// Puts records of what was read on the audit trail.
    let audit: @Sendable ([AuditEvent]) async throws -> Void

    private static let mostModelBytes = 1 << 20
    private static let mostAuditBytes = 32 << 20

    /// `path` is below `/query`.
    func answer(_ path: Substring, _ request: Request, context: GantryContext) async throws -> Response {
        if path == "/audit" { return try await takeRecords(request, context: context) }
        let resource = try ResourcePath(path)
        switch resource {
        case .studies:
            guard request.method == .post else { throw Routes.methodNotAllowed([.post]) }
            let isKnown = try isOurs(request)
            return try await search(request, isKnown: isKnown, context: context)
        case .entity(let entity, .instances), .entity(let entity, .metadata):
            guard request.method == .get || request.method == .head else {
                throw Routes.methodNotAllowed([.get, .head])
            }
            guard try isOurs(request) else { return Self.answer("[]", as: .unknown) }
            if case .entity(_, .metadata) = resource { return try await documents(of: entity) }
            return request.method == .head ? try await version(of: entity) : try await instances(of: entity)
        default: throw Problem(.notFound, "The query endpoint has studies, series and instances.")
        }
    }

    /// Whether the source that every request names is the one of this database.
    private func isOurs(_ request: Request) throws -> Bool {
        guard let source = request.uri.queryParameters["source"].map(String.init),
            source.contains(where: { !$0.isWhitespace })
        else { throw Problem(.invalidQuery, "The parameter source names a provider.") }
        return source == provider
    }

    // MARK: - What there is

    private func instances(of entity: EntityPath) async throws -> Response {
        switch try await archive.instances(study: entity.study, series: entity.series, instance: entity.instance) {
        case .unknown: return Self.answer("[]", as: .unknown)
        case .gone: return Self.answer("[]", as: .gone)
        case .found(let stored):
            let entries = stored.instances.map { instance in
                QueryEntry<StoredInstance>(
                    resource: .init(objectName: instance.location.objectName),
                    lastModified: CloudEvent.timestamp(instance.storedAt), gantry: instance)
            }
            return try Self.answer(entries, version: stored.version)
        }
    }

    private func documents(of entity: EntityPath) async throws -> Response {
        switch try await archive.documents(study: entity.study, series: entity.series, instance: entity.instance) {
        case .unknown: return Self.answer("[]", as: .unknown)
        case .gone: return Self.answer("[]", as: .gone)
        case .found(let documents): return try Self.answer(documents, version: documents.version)
        }
    }

    private func version(of entity: EntityPath) async throws -> Response {
        switch try await archive.version(study: entity.study, series: entity.series, instance: entity.instance) {
        case .unknown: Self.answer("[]", as: .unknown)
        case .gone: Self.answer("[]", as: .gone)
        case .found(let version): try Self.answer([Int](), version: version)
        }
    }

    // MARK: - Searches

    private func search(_ request: Request, isKnown: Bool, context: GantryContext) async throws -> Response {
        let (bytes, reservation) = try await CoreRoutes.body(
            of: request, atMost: Self.mostModelBytes, budget: budget, context: context)
        defer { withExtendedLifetime(reservation) {} }
        let model: QueryModel
        do {
            model = try JSONDecoder().decode(QueryModel.self, from: Data(bytes.readableBytesView))
        } catch let error as DecodingError {
            throw Problem(.invalidBody, "The body is no query model\(error.place).")
        }
        guard let text = model.searchText else { throw Problem(.invalidBody, "The body is no query model.") }
        let search = try SearchRequest(
            try ResourcePath(text.resource, for: .get), query: text.parameters, features: SearchRoutes.features)
        guard isKnown else {
            var empty = Self.answer("[]", as: .unknown)
            empty.headers[.gantryTotal] = "0"
            return empty
        }
        var zone = timezone
        if let asked = model.gantry?.timezone {
            guard let asked = TimezoneOffset(asked) else { throw Problem(.invalidBody, "The zone is no offset.") }
            zone = asked
        }
        let limit = min(maximum, max(0, model.gantry?.maximum ?? maximum))
        let result = try await archive.search(search.query, as: text, maximum: limit, assuming: zone)
        var response =
            model.gantry == nil
            ? Self.json(attributes(of: result))
            : Self.json(
                try Self.encoder.encode(
                    try (0..<result.count).map { index in
                        QueryEntry<SearchMatch>(resource: nil, lastModified: nil, gantry: try result.match(index))
                    }
                ).map(\.self))
        response.headers[.gantryTotal] = "\(result.total)"
        return response
    }

    /// The matches with their attributes in the DICOM JSON model.
    private func attributes(of result: SearchResult) -> [UInt8] {
        var json: [UInt8] = [UInt8(ascii: "[")]
        for index in 0..<result.count {
            json += (index == 0 ? #"{"attributes":"# : #",{"attributes":"#).utf8
            result.writeJSON(match: index, base: wadoEndpoint, into: &json)
            json += #","resource":null,"lastModified":null}"#.utf8
        }
        json.append(UInt8(ascii: "]"))
        return json
    }

    // MARK: - The audit trail

    /// Records of what was read elsewhere: of nothing but reads.
    private func takeRecords(_ request: Request, context: GantryContext) async throws -> Response {
        guard request.method == .post else { throw Routes.methodNotAllowed([.post]) }
        guard try isOurs(request) else { throw Problem(.invalidQuery, "The source is another provider.") }
        let (bytes, reservation) = try await CoreRoutes.body(
            of: request, atMost: Self.mostAuditBytes, budget: budget, context: context)
        defer { withExtendedLifetime(reservation) {} }
        let events: [AuditEvent]
        do {
            events = try JSONDecoder().decode([AuditEvent].self, from: Data(bytes.readableBytesView))
        } catch let error as DecodingError {
            throw Problem(.invalidBody, "The body is no list of audit records\(error.place).")
        }
        guard events.count <= 1 << 16, events.allSatisfy(\.isOfRead) else {
            throw Problem(.invalidBody, "The records are not all of searches and retrievals.")
        }
        try await audit(events)
        return Response(status: .noContent)
    }

    // MARK: - Answers

    private enum Absence: String { case gone, unknown }

    private static func answer(_ text: String, as absence: Absence) -> Response {
        var response = json(Array(text.utf8))
        response.headers[.gantryResource] = absence.rawValue
        return response
    }

    private static func answer(_ value: some Encodable, version: ResourceVersion) throws -> Response {
        var response = json(try encoder.encode(value).map(\.self))
        response.headers[.gantryResource] = "found"
        response.headers[.gantryVersion] = "\(version.number)"
        response.headers[.gantryModified] = version.modifiedAt.map { "\($0)" }
        return response
    }

    private static func json(_ bytes: [UInt8]) -> Response { OperationsRoutes.json(.ok, bytes) }

    private static let encoder: JSONEncoder = {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        return encoder
    }()
}

extension AuditEvent {
    /// Whether it tells of a read, in texts such as we write.
    fileprivate var isOfRead: Bool {
        guard [.query, .retrieve, .recordsLost].contains(kind), byteCount >= 0, (0...1 << 52).contains(time),
            details.count <= 16, objects.count <= 4096, study.map({ UID($0) != nil }) ?? true
        else { return false }
        let texts: [String?] = [
            id, outcomeText, actor.client, actor.credentialID, actor.organization, actor.address, door, requestID,
        ]
        let all = texts.compactMap(\.self) + details.flatMap { [$0.key, $0.value] } + objects.map(\.instance)
        return all.allSatisfy { $0.utf8.count <= 4096 && !$0.utf8.contains(0) }
    }
}
