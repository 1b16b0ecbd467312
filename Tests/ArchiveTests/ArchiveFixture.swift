import Archive
import Audit
import BlobStorage
import DICOMCore
import Foundation
import GantryTesting
import Messaging
import PostgreSQLStorage
import SQLStorage
import Synchronization

/// An archive in a folder of its own, and instances to put into it.
final class ArchiveFixture: Sendable {
    let database: any SQLDatabase
    let blobs = MemoryBlobStore(clock: { 0 })
    let archive: Archive
    private let folder: URL
    private let lastBlob = Mutex<UInt64>(1_000_000)

    private static let migrations = ArchiveSchema.migrations + MessagingSchema.migrations + AuditSchema.migrations
    static let start: Int64 = 1_700_000_000_000

    /// - Parameter shared: A database that other fixtures use, too; without it, the fixture has its own.
    init(sharing shared: PostgreSQLConfiguration? = nil) async throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "archive-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        database =
            if let shared { try TestDatabase.open(shared) } else {
                try await TestDatabase.current.open(folder: folder.path)
            }
        _ = try await Migrator(Self.migrations).migrate(database, now: Self.start)
        archive = Archive(database: database, blobs: blobs)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    /// What the index takes of an instance. Its blob is only a name, unless there is one.
    func entry(
        _ instance: TestInstance, blob: BlobLocation? = nil, at time: Int64 = start
    ) throws -> IndexEntry {
        let bytes = instance.part10()
        let file = try Part10Reader.read(bytes)
        let identity = InstanceIdentity(
            study: try uid(instance.studyUID), series: try uid(instance.seriesUID),
            instance: try uid(instance.sopInstanceUID), sopClass: try uid(instance.sopClassUID))
        let number = lastBlob.withLock { last in
            last += 1
            return last
        }
        return IndexEntry(
            file: file, blob: blob ?? BlobLocation(.memory(number), length: bytes.count),
            digest: digest(bytes), identity: identity, receivedAt: time)
    }

    /// Stores instances in one transaction.
    @discardableResult
    func store(
        _ instances: [TestInstance], duplicates: DuplicatePolicy = .standard, at time: Int64 = start
    ) async throws -> [StoreDecision] {
        let entries = try instances.map { try entry($0, at: time) }
        return try await database.write { transaction in
            try ArchiveIndex(duplicates: duplicates).store(entries, now: time, in: transaction)
        }
    }

    /// Stores one instance; a comparison that is asked for says that the data sets are as `isSame`.
    func store(
        _ instance: TestInstance, isSame: Bool = false, duplicates: DuplicatePolicy = .standard,
        at time: Int64 = start
    ) async throws -> StoreDecision {
        let entry = try entry(instance, at: time)
        let index = ArchiveIndex(duplicates: duplicates)
        let first = try await database.write { try index.store(entry, now: time, in: $0) }
        guard case .needsComparison(let stored) = first else { return first }
        let comparison = DataSetComparison(storedDigest: stored.digest, isSame: isSame)
        return try await database.write { try index.store(entry, comparison: comparison, now: time, in: $0) }
    }

    /// The UIDs of the matches, in order.
    func search(
        _ level: QueryLevel, _ matches: [AttributeMatch] = [], limit: Int? = nil, offset: Int = 0
    ) async throws -> [String] {
        let query = InstanceQuery(level: level, matches: matches, limit: limit, offset: offset)
        return try await search(query)
    }

    func search(_ query: InstanceQuery) async throws -> [String] {
        let result = try await archive.search(query, maximum: 1000)
        let tag: Tag =
            switch query.level {
            case .study: .studyInstanceUID
            case .series: .seriesInstanceUID
            case .instance: .sopInstanceUID
            }
        return try (0..<result.count).map { index in
            try result.dataSet(match: index, base: "http://h/dicomweb").uid(for: tag)?.string ?? ""
        }
    }

    func verify() async throws -> ArchiveVerification.Report {
        try await ArchiveVerification(database: database, blobs: blobs).run(.rows)
    }
}

struct BadUID: Error {}

func uid(_ text: String) throws -> UID {
    guard let uid = UID(text) else { throw BadUID() }
    return uid
}

/// Stands for SHA-256: different for different bytes.
private func digest(_ bytes: [UInt8]) -> [UInt8] {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return (0..<32).map { UInt8(truncatingIfNeeded: hash >> UInt64($0 % 8 * 8)) &+ UInt8($0) }
}

/// A text element for `TestInstance.elements`.
func element(_ tag: Tag, _ vr: VR, _ value: String) -> DataElement {
    var bytes = Array(value.utf8)
    if bytes.count % 2 != 0 { bytes.append(vr.paddingByte) }
    return DataElement(tag, vr, .bytes(bytes[...]))
}

func match(_ tag: Tag, _ condition: AttributeMatch.Condition) -> AttributeMatch {
    AttributeMatch(AttributePath(tag), condition)
}
