import CArchive
import NIOCore

/// A zip archive made piece by piece: bytes of files go in, bytes of the archive come out (PKWARE APPNOTE 6.3.9).
///
/// Files are stored, not deflated. The checksum of each follows it, so that nothing is read twice; its length stands
/// before it where it is known. Lengths, offsets and counts that need it are written as ZIP64. Until the end it keeps of
/// a file only its entry in the central directory, some 100 bytes and the name.
final class ZipWriter {
    private let archive: OpaquePointer
    private let entry: OpaquePointer
    private let output: ZipOutput
    /// What is still to come of a file of known length.
    private var missing: Int?

    init() throws(ZipError) {
        guard let archive = archive_write_new(), let entry = archive_entry_new() else { throw .outOfMemory }
        self.archive = archive
        self.entry = entry
        output = ZipOutput()
        try check(archive_write_set_format_zip(archive))
        try check(archive_write_zip_set_compression_store(archive))
        // No blocks: what is written comes out at once and unpadded.
        try check(archive_write_set_bytes_per_block(archive, 0))
        try check(archive_write_set_bytes_in_last_block(archive, 1))
        let context = Unmanaged.passUnretained(output).toOpaque()
        try check(
            archive_write_open(
                archive, context, nil,
                { _, context, bytes, count in
                    guard let context, let bytes else { return -1 }
                    Unmanaged<ZipOutput>.fromOpaque(context).takeUnretainedValue().take(
                        UnsafeRawBufferPointer(start: bytes, count: count))
                    return count
                }, nil))
    }

    deinit {
        // Freeing an archive that was given up ends it first; nobody wants what comes out.
        output.isDiscarding = true
        archive_write_free(archive)
        archive_entry_free(entry)
    }

    /// Begins a file.
    ///
    /// - Parameters:
    ///   - name: ASCII, folders before it with slashes.
    ///   - length: `nil` when only its end tells.
    ///   - modified: seconds since 1970.
    func begin(_ name: String, length: Int?, modified: Int64) throws(ZipError) {
        archive_entry_clear(entry)
        archive_entry_set_pathname(entry, name)
        archive_entry_set_filetype(entry, Self.regularFile)
        archive_entry_set_perm(entry, 0o644)
        archive_entry_set_mtime(entry, time_t(modified), 0)
        if let length { archive_entry_set_size(entry, la_int64_t(length)) }
        try check(archive_write_header(archive, entry))
        missing = length
    }

    /// Takes the next bytes of the file.
    func write(_ bytes: ByteBuffer) throws(ZipError) {
        if let missing {
            guard bytes.readableBytes <= missing else { throw .wrongLength }
            self.missing = missing - bytes.readableBytes
        }
        output.lent = bytes
        defer { output.lent = nil }
        let count = bytes.withUnsafeReadableBytes { archive_write_data(archive, $0.baseAddress, $0.count) }
        guard count == bytes.readableBytes else { throw .library(archive_errno(archive)) }
    }

    /// Ends the file.
    func end() throws(ZipError) {
        guard missing == nil || missing == 0 else { throw .wrongLength }
        missing = nil
        try check(archive_write_finish_entry(archive))
    }

    /// Ends the archive with its central directory.
    func finish() throws(ZipError) { try check(archive_write_close(archive)) }

    /// The bytes that have come out since the last call.
    func takeOutput() -> [ByteBuffer] { output.release() }

    private func check(_ code: CInt) throws(ZipError) {
        guard code == ARCHIVE_OK || code == ARCHIVE_WARN else { throw .library(archive_errno(archive)) }
    }

    /// `AE_IFREG`, which is a macro with a cast.
    private static let regularFile: UInt32 = 0o100000
}

/// Why an archive could not be made.
enum ZipError: Error, Hashable {
    case outOfMemory
    /// A file has more or fewer bytes than was said before it.
    case wrongLength
    /// What the library says, an `errno`.
    case library(CInt)
}

/// What comes out of the library: bytes that were just put in are passed on as they are, others copied.
private final class ZipOutput {
    /// The bytes that the library is being given.
    var lent: ByteBuffer?
    var isDiscarding = false
    private var pieces: [ByteBuffer] = []
    private var small = ByteBuffer()
    /// Below this a copy is cheaper than a piece of its own.
    private static let leastPiece = 4 << 10
    /// Small pieces are gathered up to this.
    private static let mostGathered = 64 << 10

    func take(_ bytes: UnsafeRawBufferPointer) {
        guard !isDiscarding else { return }
        if bytes.count >= Self.leastPiece, let same = lent?.slice(at: bytes) {
            closeSmall()
            pieces.append(same)
            return
        }
        if small.readableBytes + bytes.count > Self.mostGathered { closeSmall() }
        small.writeBytes(bytes)
    }

    func release() -> [ByteBuffer] {
        closeSmall()
        defer { pieces.removeAll(keepingCapacity: true) }
        return pieces
    }

    private func closeSmall() {
        guard small.readableBytes > 0 else { return }
        pieces.append(small)
        small = ByteBuffer()
    }
}

extension ByteBuffer {
    /// The slice that lies at these addresses; `nil` when they are none of this buffer's.
    fileprivate func slice(at bytes: UnsafeRawBufferPointer) -> ByteBuffer? {
        let offset = withUnsafeReadableBytes { own -> Int? in
            guard let start = own.baseAddress, let asked = bytes.baseAddress, asked >= start,
                asked - start <= own.count - bytes.count
            else { return nil }
            return asked - start
        }
        guard let offset else { return nil }
        return getSlice(at: readerIndex + offset, length: bytes.count)
    }
}
