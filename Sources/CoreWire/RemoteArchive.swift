package import Archive
package import Audit
package import BlobStorage
package import DICOMCore
import FoundationEssentials
import NIOCore
import NIOHTTP1

/// The archive as the ingestion query endpoint tells of it. What an endpoint that is not ours leaves out is read from the
/// files in the bucket.
package struct RemoteArchive: ArchiveReading {
    private let core: CoreConnection
    private let provider: String
    private let files: UnreadFiles

    /// - Parameters:
    ///   - core: the query endpoint, as `http://core/query`.
    ///   - provider: whose instances are asked for.
    package init(core: CoreConnection, provider: String, blobs: any BlobStore) {
        self.core = core
        self.provider = provider
        files = UnreadFiles(blobs: blobs)
    }

    package func instances(study: UID, series: UID?, instance: UID?) async throws -> Lookup<StoredInstances> {
        let answer = try await ask("\(Self.path(study, series, instance))")
        let entries: [QueryEntry<StoredInstance>] = try Self.decode(answer)
        guard answer.isOurs else { return try await readAll(entries, study, series, instance) }
        guard let version = try answer.version else { return answer.absence() }
        let found = try entries.map { entry in
            guard let instance = entry.gantry else { throw CoreConnection.Failure.unreadable }
            return instance
        }
        return .found(StoredInstances(version: version, instances: try await files.read(found)))
    }

    package func documents(study: UID, series: UID?, instance: UID?) async throws -> Lookup<MetadataDocuments> {
        let answer = try await core.send(.GET, "\(Self.path(study, series, instance))/metadata\(query)")
        if answer.isOurs {
            try answer.requireSuccess()
            guard try answer.version != nil else { return answer.absence() }
            return .found(try Self.decode(answer))
        }
        guard answer.status == 404 else {
            try answer.requireSuccess()
            throw CoreConnection.Failure.unreadable
        }
        // Another's endpoint has no such resource.
        switch try await instances(study: study, series: series, instance: instance) {
        case .gone: return .gone
        case .unknown: return .unknown
        case .found(let stored):
            let read = try await files.dataSets(of: stored.instances)
            return .found(MetadataDocuments(reading: read, version: stored.version))
        }
    }

    package func version(study: UID, series: UID?, instance: UID?) async throws -> Lookup<ResourceVersion> {
        let answer = try await core.send(.HEAD, "\(Self.path(study, series, instance))\(query)")
        if answer.isOurs {
            try answer.requireSuccess()
            guard let version = try answer.version else { return answer.absence() }
            return .found(version)
        }
        let entries: [QueryEntry<StoredInstance>] = try Self.decode(
            try await ask("\(Self.path(study, series, instance))"))
        return entries.isEmpty ? .unknown : .found(Self.version(of: entries))
    }

    package func search(
        _ query: InstanceQuery, as text: SearchText, maximum: Int, assuming assumed: TimezoneOffset
    ) async throws -> SearchResult {
        let model = QueryModel(query, text, maximum: maximum, assuming: assumed)
        let answer = try await core.send(
            .POST, "/studies\(self.query)", fields: [("content-type", "application/json")],
            body: ByteBuffer(bytes: try JSONEncoder().encode(model)))
        try answer.requireSuccess()
        let entries: [QueryEntry<SearchMatch>] = try Self.decode(answer)
        guard answer.isOurs else {
            let found = entries.compactMap { SearchMatch(others: $0.attributes ?? [:], query: query) }
            return SearchResult(query, total: query.offset + found.count, offset: query.offset, found: found)
        }
        let found = try entries.map { entry in
            guard let match = entry.gantry, match.isComplete(at: query.level) else {
                throw CoreConnection.Failure.unreadable
            }
            return match
        }
        guard let total = answer.field(QueryField.total).flatMap({ Int($0) }), total >= 0 else {
            throw CoreConnection.Failure.unreadable
        }
        return SearchResult(query, total: total, offset: query.offset, found: found)
    }

    /// Puts records of what was read on the audit trail. Another's endpoint has none: then they are nowhere.
    package func append(_ events: [AuditEvent]) async throws {
        let answer = try await core.send(
            .POST, "/audit\(query)", fields: [("content-type", "application/json")],
            body: ByteBuffer(bytes: try JSONEncoder().encode(events)))
        if !answer.isOurs, answer.status == 404 || answer.status == 405 { return }
        try answer.requireSuccess()
    }

    /// Whether the query endpoint answers.
    package func check() async throws {
        try await ask("/studies/1").requireSuccess()
    }

    // MARK: - Asking

    private var query: String {
        var escaped = ""
        for byte in provider.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F:
                escaped.unicodeScalars.append(Unicode.Scalar(byte))
            default: escaped += (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
            }
        }
        return "?source=\(escaped)"
    }

    private static func path(_ study: UID, _ series: UID?, _ instance: UID?) -> String {
        var path = "/studies/\(study)"
        if let series { path += "/series/\(series)" }
        if let instance { path += "/instances/\(instance)" }
        return path
    }

    private func ask(_ path: String) async throws -> CoreConnection.Answer {
        let answer = try await core.send(.GET, path + query)
        try answer.requireSuccess()
        return answer
    }

    private static func decode<Wanted: Decodable>(_ answer: CoreConnection.Answer) throws -> Wanted {
        do {
            return try JSONDecoder().decode(Wanted.self, from: Data(answer.body.readableBytesView))
        } catch {
            throw CoreConnection.Failure.unreadable
        }
    }

    // MARK: - Another's endpoint

    /// Its entries name files and nothing more.
    private func readAll(
        _ entries: [QueryEntry<StoredInstance>], _ study: UID, _ series: UID?, _ instance: UID?
    ) async throws -> Lookup<StoredInstances> {
        guard !entries.isEmpty else { return .unknown }
        let names = entries.compactMap { entry in
            (entry.resource?.objectName).flatMap { ObjectName($0) }.map { name in
                (name: name, modifiedAt: entry.lastModified.flatMap { WireTime.milliseconds($0) } ?? 0)
            }
        }
        guard names.count == entries.count else { throw CoreConnection.Failure.unreadable }
        let found = try await files.identify(names).filter {
            $0.identity.study == study && series.map { [identity = $0.identity] in identity.series == $0 } ?? true
                && instance.map { [identity = $0.identity] in identity.instance == $0 } ?? true
        }
        return .found(StoredInstances(version: Self.version(of: entries), instances: found))
    }

    /// It counts no versions: the time of the last change has to do.
    private static func version(of entries: [QueryEntry<StoredInstance>]) -> ResourceVersion {
        let last = entries.compactMap { $0.lastModified.flatMap { WireTime.milliseconds($0) } }.max()
        return ResourceVersion(number: last ?? 0, modifiedAt: last)
    }
}

extension CoreConnection.Answer {
    /// Whether a process of ours answers.
    fileprivate var isOurs: Bool { field(QueryField.wire) == "\(CommitMessage.version)" }

    fileprivate var version: ResourceVersion? {
        get throws {
            guard field(QueryField.resource) == "found" else { return nil }
            guard let number = field(QueryField.version).flatMap({ Int64($0) }) else {
                throw CoreConnection.Failure.unreadable
            }
            return ResourceVersion(number: number, modifiedAt: field(QueryField.modified).flatMap { Int64($0) })
        }
    }

    fileprivate func absence<Found>() -> Lookup<Found> { field(QueryField.resource) == "gone" ? .gone : .unknown }

    fileprivate func requireSuccess() throws {
        guard (200..<300).contains(status) else {
            throw status == 429 || status >= 500
                ? CoreConnection.Failure.unreachable : CoreConnection.Failure.unreadable
        }
    }
}

extension SearchMatch {
    /// Whether it has all that a match of this level has.
    fileprivate func isComplete(at level: QueryLevel) -> Bool {
        switch level {
        case .study: true
        case .series: series != nil
        case .instance: series != nil && instance != nil && sopClass != nil
        }
    }

    /// A match of another's endpoint, which gives attributes of the level alone; `nil` without the UIDs.
    fileprivate init?(others attributes: [String: QueryEntry<SearchMatch>.Attribute], query: InstanceQuery) {
        func texts(_ tag: String) -> [String] {
            (attributes[tag]?.values ?? []).compactMap { value in
                switch value {
                case .text(let text): text
                case .number(let number): Int64(exactly: number)?.description
                case .name, nil: nil
                }
            }
        }
        // The address is the only place where parents are named.
        let address = (texts("00081190").first ?? "").split(separator: "/").map(String.init)
        func uid(_ tag: String, _ segment: String, _ known: UID?) -> UID? {
            if let known { return known }
            if let uid = texts(tag).first.flatMap({ UID($0) }) { return uid }
            guard let index = address.lastIndex(of: segment), index + 1 < address.count else { return nil }
            return UID(address[index + 1])
        }
        func counts(_ tags: String...) -> [Int64] { tags.map { texts($0).first.flatMap { Int64($0) } ?? 0 } }
        var fragments = AttributeFragments()
        for (key, attribute) in attributes.sorted(by: { $0.key < $1.key }) {
            guard let number = UInt32(key, radix: 16), key.utf8.count == 8, VR(attribute.vr) != nil else { continue }
            fragments.append(Tag(rawValue: number), attribute.json)
        }
        guard let study = uid("0020000D", "studies", query.study) else { return nil }
        self.init(study: Level(uid: study, attributes: fragments, counts: counts("00201206", "00201208")))
        modalities = texts("00080061")
        sopClasses = texts("00080062")
        guard query.level >= .series else { return }
        guard let series = uid("0020000E", "series", query.series) else { return nil }
        self.series = Level(uid: series, attributes: fragments, counts: counts("00201209"))
        guard query.level == .instance else { return }
        guard let instance = uid("00080018", "instances", nil) else { return nil }
        self.instance = Level(uid: instance, attributes: fragments)
        sopClass = texts("00080016").first.flatMap { UID($0) }
        transferSyntaxUID = texts("00083002").first ?? texts("00020010").first
    }
}

extension QueryEntry.Attribute {
    /// The value object of the DICOM JSON model: names as objects, numbers of IS as numbers.
    fileprivate var json: [UInt8] {
        let values = (values ?? []).compactMap(\.self)
        var json = #"{"vr":"\#(vr)""#
        if !values.isEmpty {
            json += #","Value":["#
            json += values.map { value in
                switch value {
                case .text(let text) where vr == "PN": #"{"Alphabetic":\#(Self.quoted(text))}"#
                case .text(let text) where vr == "IS": Int64(text).map(\.description) ?? Self.quoted(text)
                case .text(let text): Self.quoted(text)
                case .number(let number): Int64(exactly: number)?.description ?? "\(number)"
                case .name(let groups):
                    "{"
                        + groups.sorted { $0.key < $1.key }.map { "\(Self.quoted($0.key)):\(Self.quoted($0.value))" }
                        .joined(separator: ",") + "}"
                }
            }.joined(separator: ",")
            json += "]"
        }
        return Array((json + "}").utf8)
    }

    private static func quoted(_ text: String) -> String {
        (try? JSONEncoder().encode(text)).map { String(decoding: $0, as: UTF8.self) } ?? #""""#
    }
}
