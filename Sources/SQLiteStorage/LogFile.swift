import GRDBSQLite
import Glibc

/// SQLite's open write-ahead log, with the writes that wait for the next flush. Lives in memory of SQLite's, in front
/// of the system's own file; one connection owns it and calls it from one thread at a time.
struct LogFile {
    /// What SQLite sees.
    private var base: sqlite3_file
    /// Whether writes wait for the flush.
    private var isCoalescing: Bool
    private var bytes: UnsafeMutablePointer<UInt8>?
    private var capacity: Int
    private var count: Int
    /// Where the first waiting byte belongs.
    private var offset: sqlite3_int64

    /// Bytes in front of the system's file.
    static let headSize = (MemoryLayout<LogFile>.size + 15) & ~15
    /// Beyond this the writes go to the file before the flush asks for it.
    private static let capacityLimit = 1 << 20
    /// SQLite's layer for Unix takes the length of a write modulo 128 KiB: it never gets more than a page from itself.
    private static let systemWriteLimit = 64 << 10

    private typealias File = UnsafeMutablePointer<sqlite3_file>

    /// Opens the system's file behind a new head.
    static func open(
        _ file: UnsafeMutablePointer<sqlite3_file>, _ openSystem: (UnsafeMutablePointer<sqlite3_file>) -> CInt
    )
        -> CInt
    {
        // Without methods SQLite does not close what could not be opened.
        file.pointee.pMethods = nil
        let code = openSystem(system(file))
        guard code == SQLITE_OK else { return code }
        head(file).initialize(
            to: LogFile(
                base: sqlite3_file(pMethods: UnsafePointer(methods)), isCoalescing: false, bytes: nil, capacity: 0,
                count: 0, offset: 0))
        return SQLITE_OK
    }

    /// Lets the writes of this log wait from now on; its connection must flush each commit. Says no to other files.
    static func beginCoalescing(_ file: UnsafeMutablePointer<sqlite3_file>) -> Bool {
        guard file.pointee.pMethods == UnsafePointer(methods) else { return false }
        head(file).pointee.isCoalescing = true
        return true
    }

    // MARK: - Waiting bytes

    /// Takes bytes that continue those that wait. Says no when they don't, are too many, or nothing is to wait.
    private mutating func take(_ source: UnsafeRawPointer, _ length: Int, at place: sqlite3_int64) -> Bool {
        guard isCoalescing else { return false }
        if count == 0 { offset = place }
        guard place == offset + sqlite3_int64(count), length <= Self.capacityLimit - count else { return false }
        if length > capacity - count {
            let wanted = min(Self.capacityLimit, max(1 << 16, 2 * capacity, count + length))
            guard let grown = realloc(bytes, wanted) else { return false }
            bytes = grown.assumingMemoryBound(to: UInt8.self)
            capacity = wanted
        }
        guard let bytes else { return length == 0 }
        memcpy(bytes + count, source, length)
        count += length
        return true
    }

    /// Writes what waits. After a failure it is gone, and the commit with it: SQLite rolls back.
    private static func flush(_ file: File) -> CInt {
        let log = head(file)
        guard log.pointee.count > 0 else { return SQLITE_OK }
        defer { log.pointee.count = 0 }
        let below = system(file)
        var done = 0
        while done < log.pointee.count {
            let length = min(systemWriteLimit, log.pointee.count - done)
            let code = below.pointee.pMethods.pointee.xWrite(
                below, log.pointee.bytes.map { $0 + done }, CInt(length), log.pointee.offset + sqlite3_int64(done))
            guard code == SQLITE_OK else { return code }
            done += length
        }
        return SQLITE_OK
    }

    private static func head(_ file: File) -> UnsafeMutablePointer<LogFile> {
        UnsafeMutableRawPointer(file).assumingMemoryBound(to: LogFile.self)
    }

    private static func system(_ file: File) -> File {
        (UnsafeMutableRawPointer(file) + headSize).assumingMemoryBound(to: sqlite3_file.self)
    }

    // MARK: - What SQLite calls

    /// Written once, before anybody reads it.
    nonisolated(unsafe) private static let methods: UnsafeMutablePointer<sqlite3_io_methods> = {
        var methods = sqlite3_io_methods()
        methods.iVersion = 1
        methods.xClose = { file in
            guard let file else { return SQLITE_OK }
            let flushed = flush(file)
            free(head(file).pointee.bytes)
            let closed = system(file).pointee.pMethods.pointee.xClose(system(file))
            return flushed == SQLITE_OK ? closed : flushed
        }
        methods.xRead = { file, bytes, count, offset in
            guard let file else { return SQLITE_IOERR }
            let code = flush(file)
            guard code == SQLITE_OK else { return code }
            return system(file).pointee.pMethods.pointee.xRead(system(file), bytes, count, offset)
        }
        methods.xWrite = { file, bytes, count, offset in
            guard let file, let bytes, count >= 0 else { return SQLITE_IOERR }
            if head(file).pointee.take(bytes, Int(count), at: offset) { return SQLITE_OK }
            let code = flush(file)
            guard code == SQLITE_OK else { return code }
            if head(file).pointee.take(bytes, Int(count), at: offset) { return SQLITE_OK }
            return system(file).pointee.pMethods.pointee.xWrite(system(file), bytes, count, offset)
        }
        methods.xTruncate = { file, size in
            guard let file else { return SQLITE_IOERR }
            let code = flush(file)
            guard code == SQLITE_OK else { return code }
            return system(file).pointee.pMethods.pointee.xTruncate(system(file), size)
        }
        methods.xSync = { file, flags in
            guard let file else { return SQLITE_IOERR }
            let code = flush(file)
            guard code == SQLITE_OK else { return code }
            return system(file).pointee.pMethods.pointee.xSync(system(file), flags)
        }
        methods.xFileSize = { file, size in
            guard let file else { return SQLITE_IOERR }
            let code = flush(file)
            guard code == SQLITE_OK else { return code }
            return system(file).pointee.pMethods.pointee.xFileSize(system(file), size)
        }
        methods.xLock = { file, level in
            guard let file else { return SQLITE_IOERR }
            return system(file).pointee.pMethods.pointee.xLock(system(file), level)
        }
        methods.xUnlock = { file, level in
            guard let file else { return SQLITE_IOERR }
            return system(file).pointee.pMethods.pointee.xUnlock(system(file), level)
        }
        methods.xCheckReservedLock = { file, result in
            guard let file else { return SQLITE_IOERR }
            return system(file).pointee.pMethods.pointee.xCheckReservedLock(system(file), result)
        }
        methods.xFileControl = { file, operation, argument in
            guard let file else { return SQLITE_IOERR }
            return system(file).pointee.pMethods.pointee.xFileControl(system(file), operation, argument)
        }
        methods.xSectorSize = { file in
            guard let file else { return 0 }
            return system(file).pointee.pMethods.pointee.xSectorSize(system(file))
        }
        methods.xDeviceCharacteristics = { file in
            guard let file else { return 0 }
            return system(file).pointee.pMethods.pointee.xDeviceCharacteristics(system(file))
        }
        let table = UnsafeMutablePointer<sqlite3_io_methods>.allocate(capacity: 1)
        table.initialize(to: methods)
        return table
    }()
}
