import Glibc
import NIOCore

/// Appends records to the newest pack and begins another one when it is full or doubtful.
///
/// `@unchecked Sendable`: called only with the lock held that `DiskBlobStore` keeps for the group being committed.
final class PackWriter: @unchecked Sendable {
    private let folder: BlobFolder
    private let limit: Int64
    private var number: UInt32
    private var file: OpenFile?
    private var size: Int64 = 0

    /// - Parameter number: The first pack's number.
    init(folder: BlobFolder, limit: Int64, number: UInt32) {
        self.folder = folder
        self.limit = limit
        self.number = number
    }

    /// Appends the records with one write and one flush. All are durable, or none counts.
    func append(
        _ records: [(record: PackRecord, payload: BytePieces)], willBegin: (UInt32) -> Void
    ) throws(BlobError) -> [BlobLocation] {
        let total = records.reduce(Int64(0)) { $0 + Int64(PackRecord.headerSize + $1.record.length) }
        if file != nil, size + total > limit { seal() }
        let file = try currentFile(willBegin)

        var headers = ByteBufferAllocator().buffer(capacity: records.count * PackRecord.headerSize)
        for (record, _) in records { record.write(into: &headers) }
        var locations: [BlobLocation] = []
        locations.reserveCapacity(records.count)
        var offset = size
        for (record, _) in records {
            offset += Int64(PackRecord.headerSize)
            locations.append(BlobLocation(.pack(number, offset: offset), length: record.length))
            offset += Int64(record.length)
        }
        do throws(BlobError) {
            try write(records, headers: headers, to: file)
        } catch {
            // Nothing of it was flushed: take it back, so that the records stay in one chain.
            if ftruncate(file.descriptor, off_t(size)) != 0 { seal() }
            throw error
        }
        guard folder.flush(file.descriptor) == 0 else {
            // The kernel reports it once and may have dropped the pages: this file is never written again (reliability D.1).
            let error = BlobError(errno: errno, in: "fdatasync")
            seal()
            throw error
        }
        size = offset
        return locations
    }

    private func write(
        _ records: [(record: PackRecord, payload: BytePieces)], headers: ByteBuffer, to file: OpenFile
    ) throws(BlobError) {
        var pieces: [iovec] = []
        pieces.reserveCapacity(2 * records.count)
        var owners: [Unmanaged<AnyObject>] = []
        owners.reserveCapacity(records.count + 1)
        defer { for owner in owners { owner.release() } }
        let header = headers.withUnsafeReadableBytesWithStorageManagement { bytes, owner in
            owners.append(owner.retain())
            return bytes
        }
        for (index, (_, payload)) in records.enumerated() {
            let start = header.baseAddress.map { $0 + index * PackRecord.headerSize }
            pieces.append(iovec(iov_base: .init(mutating: start), iov_len: PackRecord.headerSize))
            for piece in payload.pieces {
                piece.withUnsafeReadableBytesWithStorageManagement { bytes, owner in
                    owners.append(owner.retain())
                    guard !bytes.isEmpty else { return }
                    pieces.append(iovec(iov_base: .init(mutating: bytes.baseAddress), iov_len: bytes.count))
                }
            }
        }
        try file.write(gathering: pieces, at: size)
    }

    /// The number of the pack that is being written; smaller ones are sealed.
    private func currentFile(_ willBegin: (UInt32) -> Void) throws(BlobError) -> OpenFile {
        if let file { return file }
        willBegin(number)
        let created = try OpenFile(folder.packPath(number), create: true, writable: true)
        // Its name must survive too; once is enough.
        do throws(BlobError) {
            try folder.flushFolder(folder.packs)
        } catch {
            number += 1
            throw error
        }
        file = created
        size = 0
        return created
    }

    private func seal() {
        file = nil
        size = 0
        number += 1
    }
}
