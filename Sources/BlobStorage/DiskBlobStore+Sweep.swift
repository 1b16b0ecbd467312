import Glibc
import NIOCore
import Synchronization

extension DiskBlobStore {
    package func storedBlobs(
        olderThan cutoff: Int64, after cursor: BlobCursor?, limit: Int
    ) async throws -> BlobPage {
        let position = try ListingPosition(cursor)
        let retired = packs.withLock { $0.retired }
        return try await blocking { [self] in
            try page(after: position, olderThan: cutoff, limit: max(1, limit), without: retired)
        }
    }

    private func page(
        after position: ListingPosition, olderThan cutoff: Int64, limit: Int, without retired: Set<UInt32>
    ) throws(BlobError) -> BlobPage {
        var blobs: [BlobLocation] = []
        var firstObject = ""
        switch position {
        case .pack(let from, var offset):
            let numbers = try folder.names(in: folder.packs).compactMap(BlobFolder.packNumber)
            for number in numbers where number >= from && !retired.contains(number) {
                if number > from { offset = 0 }
                let file = try files.file(.pack(number, offset: 0), path: folder.packPath(number))
                while let (record, start) = try file.record(at: offset) {
                    if blobs.count == limit { return BlobPage(blobs: blobs, next: .pack(number, offset)) }
                    offset = start + Int64(record.length)
                    guard record.storedAt < cutoff else { continue }
                    blobs.append(BlobLocation(.pack(number, offset: start), length: record.length))
                }
            }
        case .object(let name):
            firstObject = name
        }
        for prefix in try folder.names(in: folder.objects) where prefix >= firstObject.prefix(2) {
            for name in try folder.names(in: folder.objects + "/" + prefix) where name >= firstObject {
                guard let key = BlobKey(name) else { continue }
                if blobs.count == limit { return BlobPage(blobs: blobs, next: .object(name)) }
                // Deleted meanwhile is as good as not listed.
                guard let status = try? OpenFile(folder.objectPath(key)).status(), status.changed < cutoff else {
                    continue
                }
                blobs.append(BlobLocation(.object(key), length: Int(status.length)))
            }
        }
        return BlobPage(blobs: blobs, next: nil)
    }

    @discardableResult
    package func compact(
        olderThan cutoff: Int64,
        isLive: @Sendable (BlobLocation) async throws -> Bool,
        relocate: @Sendable ([(from: BlobLocation, to: BlobLocation)]) async throws -> Void
    ) async throws -> Int64 {
        var freed = try await deleteRetired()
        let numbers = try await blocking { [folder] in
            try folder.names(in: folder.packs).compactMap(BlobFolder.packNumber)
        }
        for number in numbers {
            try Task.checkCancellation()
            let isCandidate = packs.withLock { packs in
                number < packs.firstOpen && !(packs.examined.contains(number) && packs.dead[number] == nil)
            }
            guard isCandidate else { continue }
            freed += try await compact(pack: number, olderThan: cutoff, isLive: isLive, relocate: relocate)
        }
        return freed
    }

    private func compact(
        pack number: UInt32, olderThan cutoff: Int64,
        isLive: @Sendable (BlobLocation) async throws -> Bool,
        relocate: @Sendable ([(from: BlobLocation, to: BlobLocation)]) async throws -> Void
    ) async throws -> Int64 {
        let (records, size) = try await blocking { [self] in
            let file = try files.file(.pack(number, offset: 0), path: folder.packPath(number))
            var records: [(PackRecord, Int64)] = []
            var offset: Int64 = 0
            while let (record, start) = try file.record(at: offset) {
                records.append((record, start))
                offset = start + Int64(record.length)
            }
            return (records, try file.status().length)
        }
        guard records.allSatisfy({ $0.0.storedAt < cutoff }) else { return 0 }
        var live: [(record: PackRecord, location: BlobLocation)] = []
        var liveBytes: Int64 = 0
        for (record, start) in records {
            let location = BlobLocation(.pack(number, offset: start), length: record.length)
            guard try await isLive(location) else { continue }
            live.append((record, location))
            liveBytes += Int64(PackRecord.headerSize + record.length)
        }
        guard liveBytes * 2 < size || size == 0 else {
            packs.withLock { packs in
                packs.examined.insert(number)
                packs.dead[number] = nil
            }
            return 0
        }
        while !live.isEmpty {
            var batch: [(staged: StagedBlob, from: BlobLocation)] = []
            var bytes = 0
            while let (record, location) = live.last, bytes < 8 << 20 {
                live.removeLast()
                let payload = try await read(location)
                bytes += payload.readableBytes
                // The digest goes along as it was: damage stays visible.
                batch.append(
                    (
                        StagedBlob(length: record.length, digest: record.digest, content: .memory(BytePieces(payload))),
                        location
                    ))
            }
            let moved = await makeDurable(batch.map(\.staged))
            try await relocate(zip(batch, moved).map { (from: $0.from, to: try $1.get()) })
        }
        packs.withLock { packs in
            packs.retired.insert(number)
            packs.dead[number] = nil
        }
        return size - liveBytes
    }

    /// Removes the packs that the compaction before this one emptied.
    private func deleteRetired() async throws -> Int64 {
        let retired = packs.withLock { packs in
            defer { packs.retired = [] }
            return packs.retired
        }
        try await blocking { [files, folder] in
            for number in retired {
                files.forget(.pack(number, offset: 0))
                guard unlink(folder.packPath(number)) == 0 || errno == ENOENT else {
                    throw BlobError(errno: errno, in: "unlink")
                }
            }
        }
        return 0
    }
}

/// Where a listing goes on: `p/<pack>/<offset>` or `o/<name>`.
private enum ListingPosition {
    case pack(UInt32, offset: Int64)
    case object(String)

    init(_ cursor: BlobCursor?) throws(BlobError) {
        guard let cursor else {
            self = .pack(0, offset: 0)
            return
        }
        let parts = cursor.rawValue.split(separator: "/")
        if parts.count == 3, parts[0] == "p", let pack = UInt32(parts[1]), let offset = Int64(parts[2]), offset >= 0 {
            self = .pack(pack, offset: offset)
        } else if parts.count == 2, parts[0] == "o", BlobKey(parts[1]) != nil {
            self = .object(String(parts[1]))
        } else {
            throw BlobError(.notFound, in: "cursor")
        }
    }
}

extension BlobCursor {
    fileprivate static func pack(_ number: UInt32, _ offset: Int64) -> BlobCursor {
        BlobCursor(rawValue: "p/\(number)/\(offset)")
    }

    fileprivate static func object(_ name: String) -> BlobCursor {
        BlobCursor(rawValue: "o/\(name)")
    }
}

extension OpenFile {
    /// The record whose header begins at an offset, and where its payload begins; `nil` behind the last whole record. Blocks.
    fileprivate func record(at offset: Int64) throws(BlobError) -> (record: PackRecord, payload: Int64)? {
        let size = try status().length
        let payload = offset + Int64(PackRecord.headerSize)
        guard payload <= size else { return nil }
        guard let record = PackRecord(try read(at: offset, count: PackRecord.headerSize)),
            Int64(record.length) <= size - payload
        else { return nil }
        return (record, payload)
    }
}
