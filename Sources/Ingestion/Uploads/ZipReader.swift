import BlobStorage
import CArchive
import NIOCore
import NIOPosix

/// Reads a ZIP archive where it landed, file after file, in pieces, and stops at the first thing that breaks a limit.
///
/// The library reads by the central directory and checks lengths and checksums. It runs on a thread, for it can only wait; the bytes come and go
/// through an ``ArchiveExchange``. Nothing is ever written under a name from the archive: names are only told.
struct ZipReader {
    let object: LandedObject
    let landing: any UploadLanding
    let limits: ArchiveLimits
    let threads: NIOThreadPool

    /// What reading finds, in the order of the archive.
    enum Finding {
        /// A file begins; `false` leaves its bytes out.
        case file(name: String, length: Int?)
        case bytes(ByteBuffer)
    }

    /// Goes through the whole archive.
    ///
    /// - Parameter body: Takes each finding; its answer to a file says whether the bytes are wanted.
    /// - Throws: ``ArchiveBreach``, what the landing throws, and what `body` throws.
    func read(_ body: (Finding) async throws -> Bool) async throws {
        let exchange = ArchiveExchange()
        let walk = ArchiveWalk(exchange: exchange, length: object.length, limits: limits)
        threads.submit { state in
            guard state == .active else { return exchange.tell(.failed(.damaged)) }
            walk.run()
        }
        while true {
            switch await exchange.next() {
            case .end: return
            case .failed(let breach): throw breach
            case .needs(let range):
                try await stoppingOnError(exchange) {
                    try Task.checkCancellation()
                    return .bytes(try await landing.read(object, range))
                }
            case .file(let name, let length):
                try await stoppingOnError(exchange) {
                    try await body(.file(name: name, length: length)) ? .goOn : .skip
                }
            case .bytes(let bytes):
                try await stoppingOnError(exchange) { try await body(.bytes(bytes)) ? .goOn : .skip }
            }
        }
    }

    /// Answers the thread. An error ends it first, and then this.
    private func stoppingOnError(
        _ exchange: ArchiveExchange, _ body: () async throws -> ArchiveExchange.Answer
    ) async throws {
        let answer: ArchiveExchange.Answer
        do {
            answer = try await body()
        } catch {
            exchange.reply(.stop)
            while true {
                switch await exchange.next() {
                case .end, .failed: throw error
                case .needs, .file, .bytes: exchange.reply(.stop)
                }
            }
        }
        exchange.reply(answer)
    }
}

/// The library's side of reading an archive, on its thread.
private final class ArchiveWalk: Sendable {
    private let exchange: ArchiveExchange
    private let length: Int
    private let limits: ArchiveLimits

    init(exchange: ArchiveExchange, length: Int, limits: ArchiveLimits) {
        self.exchange = exchange
        self.length = length
        self.limits = limits
    }

    /// Reads the archive and tells the end.
    func run() {
        let source = ArchiveSource(exchange: exchange, length: length)
        defer { withExtendedLifetime(source) {} }
        do throws(ArchiveBreach) {
            guard let archive = archive_read_new() else { throw .damaged }
            defer { archive_read_free(archive) }
            try open(archive, source)
            try walk(archive)
        } catch {
            return exchange.tell(.failed(error))
        }
        exchange.tell(.end)
    }

    private func open(_ archive: OpaquePointer, _ source: ArchiveSource) throws(ArchiveBreach) {
        // ZIP alone: no other format's reader ever sees these bytes.
        guard archive_read_support_format_zip_seekable(archive) == ARCHIVE_OK,
            archive_read_support_filter_none(archive) == ARCHIVE_OK
        else { throw .damaged }
        archive_read_set_read_callback(archive) { _, context, block in
            guard let source = ArchiveSource.of(context) else { return -1 }
            return source.read(into: block)
        }
        archive_read_set_skip_callback(archive) { _, context, count in
            ArchiveSource.of(context)?.skip(Int(count)) ?? 0
        }
        archive_read_set_seek_callback(archive) { _, context, offset, whence in
            ArchiveSource.of(context)?.seek(to: Int(offset), from: whence) ?? la_int64_t(ARCHIVE_FATAL)
        }
        archive_read_set_callback_data(archive, Unmanaged.passUnretained(source).toOpaque())
        guard archive_read_open1(archive) == ARCHIVE_OK else { throw .damaged }
    }

    private func walk(_ archive: OpaquePointer) throws(ArchiveBreach) {
        var count = 0
        var expanded = 0
        while true {
            var entry: OpaquePointer?
            let code = archive_read_next_header(archive, &entry)
            if code == ARCHIVE_EOF { return }
            guard code == ARCHIVE_OK || code == ARCHIVE_WARN, let entry else { throw .damaged }
            count += 1
            guard count <= limits.entries else { throw .entries(limit: limits.entries) }
            let name = try name(of: entry, number: count)
            if archive_entry_is_encrypted(entry) != 0 { throw .encrypted(name: name) }
            let type = archive_entry_filetype(entry)
            if type == Self.folder { continue }
            guard type == Self.regularFile else {
                // A link or a device: told, and never followed.
                if case .stop = exchange.ask(.file(name: name, length: 0)) { return }
                continue
            }
            let length = archive_entry_size_is_set(entry) != 0 ? Int(archive_entry_size(entry)) : nil
            // What it says may be less than what comes, never a reason to read more.
            if let length { try check(expanded: adding(max(0, length), to: expanded)) }
            switch exchange.ask(.file(name: name, length: length)) {
            case .stop: return
            case .skip: continue
            case .goOn, .bytes: expanded = try readFile(archive, expanded)
            }
        }
    }

    /// Gives a file's bytes; answers how many were expanded by now.
    private func readFile(_ archive: OpaquePointer, _ before: Int) throws(ArchiveBreach) -> Int {
        var expanded = before
        while true {
            var block: UnsafeRawPointer?
            var count = 0
            var offset: la_int64_t = 0
            let code = archive_read_data_block(archive, &block, &count, &offset)
            if code == ARCHIVE_EOF { return expanded }
            // A warning is a checksum or a length that is wrong.
            guard code == ARCHIVE_OK else { throw .damaged }
            guard count > 0, let block else { continue }
            expanded = adding(count, to: expanded)
            try check(expanded: expanded)
            let bytes = ByteBuffer(bytes: UnsafeRawBufferPointer(start: block, count: count))
            switch exchange.ask(.bytes(bytes)) {
            case .stop: throw .damaged
            case .skip: return expanded
            case .goOn, .bytes: continue
            }
        }
    }

    private func adding(_ count: Int, to total: Int) -> Int {
        let (sum, overflows) = total.addingReportingOverflow(count)
        return overflows ? .max : sum
    }

    private func check(expanded: Int) throws(ArchiveBreach) {
        guard expanded <= limits.expandedBytes else { throw .expandedBytes(limit: limits.expandedBytes) }
        guard expanded <= limits.ratioFreeBytes || expanded / limits.ratio <= length else {
            throw .ratio(limit: limits.ratio, archiveBytes: length)
        }
    }

    /// A file's name, as text; it must be one that stays within the archive.
    private func name(of entry: OpaquePointer, number: Int) throws(ArchiveBreach) -> String {
        guard let bytes = archive_entry_pathname_utf8(entry) ?? archive_entry_pathname(entry) else {
            return "entry \(number)"
        }
        let name = String(cString: bytes)
        guard name.utf8.count <= limits.nameBytes else { throw .nameLength(limit: limits.nameBytes) }
        let components = name.split(omittingEmptySubsequences: false) { $0 == "/" || $0 == "\\" }
        let isDrive = name.utf8.dropFirst().first == UInt8(ascii: ":")
        guard !name.isEmpty, components.first != "", !isDrive, !components.contains("..") else {
            throw .path(name: name)
        }
        return name
    }

    /// `AE_IFDIR` and `AE_IFREG`, which are macros with casts.
    private static let folder: UInt32 = 0o040000
    private static let regularFile: UInt32 = 0o100000
}

/// Where the library reads: it asks the task for piece after piece.
///
/// One thread owns it.
private final class ArchiveSource {
    private let exchange: ArchiveExchange
    private let length: Int
    private var offset = 0
    /// The piece that the library reads until it asks for the next.
    private var piece = ByteBuffer()
    private static let pieceSize = 1 << 20

    init(exchange: ArchiveExchange, length: Int) {
        self.exchange = exchange
        self.length = length
    }

    static func of(_ context: UnsafeMutableRawPointer?) -> ArchiveSource? {
        context.map { Unmanaged<ArchiveSource>.fromOpaque($0).takeUnretainedValue() }
    }

    func read(into block: UnsafeMutablePointer<UnsafeRawPointer?>?) -> Int {
        let end = min(offset + Self.pieceSize, length)
        guard offset < end else { return 0 }
        guard case .bytes(let bytes) = exchange.ask(.needs(offset..<end)), bytes.readableBytes == end - offset else {
            return -1
        }
        piece = bytes
        offset = end
        // The buffer is not touched before the next call, and so its bytes stay where they are.
        return piece.withUnsafeReadableBytes { bytes in
            block?.pointee = bytes.baseAddress
            return bytes.count
        }
    }

    func skip(_ count: Int) -> la_int64_t {
        let skipped = min(max(0, count), length - offset)
        offset += skipped
        return la_int64_t(skipped)
    }

    func seek(to position: Int, from whence: Int32) -> la_int64_t {
        let origin =
            switch whence {
            case SEEK_SET: 0
            case SEEK_CUR: offset
            default: length
            }
        let (target, overflows) = origin.addingReportingOverflow(position)
        guard !overflows, (0...length).contains(target) else { return la_int64_t(ARCHIVE_FATAL) }
        offset = target
        return la_int64_t(target)
    }
}
